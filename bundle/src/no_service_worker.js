// In place of Kiln's service worker where the page is built again and again: takes itself away.
addEventListener("install", () => skipWaiting());
addEventListener("activate", event => event.waitUntil((async () => {
  const names = await caches.keys();
  await Promise.all(names.filter(name => name.startsWith("kiln-")).map(name => caches.delete(name)));
  await registration.unregister();
})()));
