// The rooms of lib, lowest first. A room imports from rooms before it, never from one after it, and no import goes in a circle.
"use strict";

/** Rooms on one line do not know each other. */
const ROOMS = [
  ["errors", "random", "interrupt"],
  ["files"],
  ["pairs"],
  ["text"],
  ["engine"],
  ["models"],
  ["batching"],
  ["checkpoints"],
  ["scoring"],
  ["policy", "statistics"],
  ["evaluation"],
  ["export", "reranking", "rewardBench"],
  ["check"],
  ["runs"],
  ["training"],
  ["report"],
  ["notebooks"],
];
/** The story: rooms may use what it defines, and it uses them. Circles through it are forbidden like all others. */
const pattern = (room) =>
  room === "errors" || room === "random" || room === "interrupt" ? `^lib/${room}\\.ts$` : `^lib/${room}/`;

const upward = ROOMS.flatMap((rooms, level) =>
  rooms.map((room) => ({
    name: `${room}-looks-down`,
    comment: `lib/${room} imports from the rooms below it only`,
    severity: "error",
    from: { path: pattern(room) },
    to: {
      path: ROOMS.slice(level)
        .flat()
        .filter((other) => other !== room)
        .map(pattern),
    },
  })),
);

module.exports = {
  forbidden: [
    {
      name: "no-circle",
      comment: "imports go one way",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    ...upward.filter((rule) => rule.to.path.length > 0),
    {
      name: "lib-stands-alone",
      comment:
        "the library knows neither command line, server, hand-over nor benchmarks; only its entry names the generator",
      severity: "error",
      from: { path: "^lib/", pathNot: "^lib/index\\.ts$" },
      to: { path: "^(cli|server|remote|bench|synthetic|tests|scripts)/" },
    },
    {
      name: "generator-stands-low",
      comment: "the generator makes pairs: it needs randomness, errors and files",
      severity: "error",
      from: { path: "^synthetic/" },
      to: { path: "^(lib/(?!errors|random|files/|pairs/)|cli/|server/|remote/|bench/)" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "(^|/)(dist|\\.cache|\\.venv)/" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
  },
};
