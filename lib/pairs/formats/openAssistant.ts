// OpenAssistant: trees of messages whose sibling answers people ranked; every two ranked siblings make a pair.
import type { Row } from "../containers/row";
import { RowFault, typeName } from "../faults";
import { get, has, object, optionalName, optionalNumber, text } from "../fields";
import type { Message } from "../pair";
import { type LeftOut, type Outcome, type PairFormat, commonFields } from "./format";
import { promptText, refuseContext } from "./messages";
import { pairsOfRatings } from "./ratings";

/** Turns of a conversation. */
const DEEPEST = 200;

/** A message with the answers to it. */
interface Node {
  readonly row: Row;
  readonly replies: readonly Node[];
}

const speaker = (row: Row, where: string): Message => {
  const role = text(row, "role", `${where}.role`);
  if (role !== "prompter" && role !== "assistant")
    throw new RowFault("unknown_role", `${where}.role: expected prompter or assistant, got ${JSON.stringify(role)}`);
  return { role: role === "prompter" ? "user" : "assistant", content: text(row, "text", `${where}.text`) };
};

/** The pairs below a message; rank 0 is the best. Answers that nobody ranked are left out and counted. */
function pairsBelow(node: Node, before: readonly Message[], tree: Row, where: string): Outcome[] {
  if (before.length > DEEPEST)
    throw new RowFault("nested_too_deep", `${where}: expected at most ${DEEPEST} messages one after another, got more`);
  const messages = [...before, speaker(node.row, where)];
  const inner = node.replies.flatMap((reply, i) => pairsBelow(reply, messages, tree, `${where}.replies[${i}]`));
  const answers = node.replies.filter(({ row }) => get(row, "role") === "assistant");
  if (answers.length < 2) return inner;
  const rated = answers.map(({ row }) => {
    const rank = optionalNumber(row, "rank", `${where}.replies[].rank`);
    return { text: text(row, "text"), rating: rank === undefined ? undefined : -rank };
  });
  const id = optionalName(node.row, "message_id");
  const prompt = { prompt: promptText(messages), promptMessages: messages };
  const own = pairsOfRatings(prompt, rated, { ...tree, id: id ?? get(tree, "id") }, { minimum_gap: 0 });
  // Ranks say which is better, not by how much.
  return [
    ...own.map((outcome) =>
      "rule" in outcome ? outcome : { ...outcome, scoreChosen: undefined, scoreRejected: undefined },
    ),
    ...inner,
  ];
}

function pairsOfTree(root: Node, tree: Row): Outcome[] {
  const questionId = optionalName(tree, "question_id") ?? optionalName(tree, "message_tree_id");
  const outcomes = pairsBelow(root, [], { ...commonRow(tree), question_id: questionId }, "prompt");
  if (outcomes.length > 0) return outcomes;
  const left: LeftOut = { rule: "single_answer", message: "no message of the tree has two answers", id: questionId };
  return [left];
}

/** The optional fields alone, so that a tree's `prompt` or `id` is not read twice. */
const commonRow = (row: Row): Row => {
  commonFields(row);
  return Object.fromEntries(
    ["id", "risk_level", "category", "preference_type", "subset"].map((field) => [field, get(row, field)]),
  );
};

/** A tree a row, as the project exports them: `prompt` with its `replies`. */
export const openAssistantTree: PairFormat = {
  name: "openassistant-tree",
  expands: true,
  reads: "prompt.text, replies[].text, replies[].rank (0 is best), at every depth",
  fields: ["message_tree_id", "prompt.text", "prompt.role", "prompt.message_id", "prompt.rank", "prompt.replies.…"],
  matches: (row) => {
    const prompt = get(row, "prompt");
    return typeof prompt === "object" && prompt !== null && "replies" in prompt && "text" in prompt;
  },
  convert: ([row]) => pairsOfTree(nodeOf(object(row, "prompt"), "prompt"), row),
};

function nodeOf(row: Row, where: string): Node {
  refuseContext(row, where);
  const replies = get(row, "replies") ?? [];
  if (!Array.isArray(replies))
    throw new RowFault("wrong_type", `${where}.replies: expected a list, got ${typeName(replies)}`);
  return {
    row,
    replies: replies.map((reply: unknown, i) => {
      const at = `${where}.replies[${i}]`;
      if (typeof reply !== "object" || reply === null || Array.isArray(reply))
        throw new RowFault("wrong_type", `${at}: expected an object, got ${typeName(reply)}`);
      return nodeOf(reply as Row, at);
    }),
  };
}

/** A message a row, as the published table holds them: the rows of a tree follow each other. */
export const openAssistantMessages: PairFormat = {
  name: "openassistant",
  expands: true,
  reads: "message_id, parent_id, message_tree_id, role, text, rank (consecutive rows of one tree)",
  fields: ["message_id", "parent_id", "message_tree_id", "role", "text", "rank"],
  matches: (row) => has(row, "message_id") && has(row, "message_tree_id") && has(row, "text") && has(row, "role"),
  groupKey: (row) => text(row, "message_tree_id"),
  convert: (rows) => {
    const byId = new Map(rows.map((row) => [text(row, "message_id"), row] as const));
    if (byId.size < rows.length)
      throw new RowFault("invalid_value", "message_id: expected each message of a tree once, got one twice");
    const replies = new Map<string, Row[]>();
    const roots: Row[] = [];
    rows.forEach((row, i) => {
      speaker(row, `row ${i + 1} of the tree`);
      optionalNumber(row, "rank");
      const parent = optionalName(row, "parent_id");
      if (parent === undefined) roots.push(row);
      else replies.set(parent, [...(replies.get(parent) ?? []), row]);
    });
    const reached = new Set<Row>();
    const build = (row: Row): Node => {
      reached.add(row);
      return { row, replies: (replies.get(text(row, "message_id")) ?? []).map(build) };
    };
    const pairs = roots.flatMap((root) => pairsOfTree(build(root), root));
    const lost = rows
      .filter((row) => !reached.has(row))
      .map((row): LeftOut => ({
        rule: "unanswered",
        message: "no line of answers leads from the first message of its tree to this one",
        id: optionalName(row, "message_id"),
      }));
    return [...pairs, ...lost];
  },
};
