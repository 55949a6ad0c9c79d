import { sharedWorker } from './fragment.js';
import { Feed } from './feed.js';

// Has the server's events told to this page; returns what says which of them it needs. One stream for all
// tabs where the browser can share a worker, else one of this page's own.
export function subscribe(worker, tell) {
  const port = sharedPort(worker);
  if (port) {
    port.addEventListener('message', ({ data }) => tell(data));
    port.start();
    return (state) => port.postMessage(state);
  }
  const feed = new Feed();
  return (state) => feed.update(tell, tell, state);
}

// A browser that forbids storage forbids shared workers too.
function sharedPort(worker) {
  try {
    return sharedWorker(worker).port;
  } catch {
    return null;
  }
}
