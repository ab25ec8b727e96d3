{% load static %}// Keeps one page for the time without a connection. Nothing else is kept: what you see is always fresh.
const KEEP = "kring-offline";
const PAGE = "{% url 'crm:offline' %}";
const FILES = [PAGE, "{% static 'vendor/tabler/tabler.min.css' %}", "{% static 'css/kring.css' %}", "{% static 'js/theme.js' %}", "{% static 'img/ring.svg' %}"];
self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(caches.open(KEEP).then((cache) => cache.addAll(FILES)));
});
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  if (request.mode === "navigate") event.respondWith(fetch(request).catch(() => caches.match(PAGE)));
  else if (FILES.includes(new URL(request.url).pathname)) event.respondWith(fetch(request).catch(() => caches.match(request)));
});
