// Keeps all files of one version of Kiln, or none of them, and answers with them.
const VERSION = "VERSION";
const FILES = ["FILES"];
const CACHE = `kiln-${VERSION}`;
const INDEX = "index.html";

addEventListener("install", event => event.waitUntil((async () => {
  const cache = await caches.open(CACHE);
  try {
    // All or nothing, and none of what the browser keeps of an earlier version under the same name.
    await cache.addAll(FILES.map(file => new Request(file, { cache: file === INDEX ? "reload" : "default" })));
  } catch (error) {
    await caches.delete(CACHE);
    throw error;
  }
})()));

// Pages of an earlier version find their files as long as there are such pages.
addEventListener("activate", event => event.waitUntil(clients.claim().then(tidy)));

// The page says when nothing is under way in it.
addEventListener("message", event => {
  if (event.data === "take over") event.waitUntil(skipWaiting());
});

addEventListener("fetch", event => {
  const { request } = event;
  const address = new URL(request.url);
  const scope = new URL(registration.scope);
  if (request.method !== "GET" || address.origin !== scope.origin || !address.pathname.startsWith(scope.pathname)) return;
  const name = address.pathname.slice(scope.pathname.length);
  if (request.mode === "navigate" && (name === "" || name === INDEX)) {
    event.respondWith(index(request));
  } else if (name !== "") {
    event.respondWith(kept(request));
  }
});

async function index(request) {
  await tidy();
  const cache = await caches.open(CACHE);
  return await cache.match(INDEX) ?? fetch(request);
}

// Whichever version a file is of: its name says what is in it.
async function kept(request) {
  return await caches.match(request, { ignoreSearch: true }) ?? fetch(request);
}

// Forgets other versions once no page is open.
async function tidy() {
  const pages = await clients.matchAll({ type: "window", includeUncontrolled: true });
  if (pages.length > 0) return;
  const names = await caches.keys();
  await Promise.all(names.filter(name => name.startsWith("kiln-") && name !== CACHE).map(name => caches.delete(name)));
}
