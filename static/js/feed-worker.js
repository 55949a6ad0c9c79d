import { Feed } from './feed.js';

const feed = new Feed();

// Shared by all tabs of a browser, which allows only six connections to one server.
self.addEventListener('connect', ({ ports: [port] }) => {
  port.addEventListener('message', ({ data }) => {
    feed.update(port, (message) => port.postMessage(message), data);
  });
  port.start();
});
