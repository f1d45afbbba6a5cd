// In: the names of all files of the page and their version, which the export puts in. Out: the page without a network.
const VERSION = "{version}";
const FILES = ["{files}"];

const CACHE = `rewardbook-${new URL(self.registration.scope).pathname}-${VERSION}`;

self.addEventListener("install", (event) => {
  const fresh = FILES.map((file) => new Request(file, { cache: "reload" }));
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.addAll(fresh))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener("activate", (event) => {
  const own = CACHE.slice(0, -VERSION.length);
  const old = async () => {
    for (const name of await caches.keys()) if (name.startsWith(own) && name !== CACHE) await caches.delete(name);
    await self.clients.claim();
  };
  event.waitUntil(old());
});

self.addEventListener("fetch", (event) => {
  if (event.request.method !== "GET") return;
  const known = async () => {
    const cache = await caches.open(CACHE);
    const found = await cache.match(event.request, { ignoreSearch: true });
    return found ?? fetch(event.request);
  };
  event.respondWith(known());
});
