import { Feed } from './feed.js';

const feed = new Feed();

// Shared by all tabs of a browser, which allows only six connections to one server.
self.addEventListener('connect', ({ ports: [port] }) => {
  port.addEventListener('message', ({ data }) => {
    feed.update(port, (text) => port.postMessage(text), data);
  });
  port.start();
});
