import { sharedWorker } from './fragment.js';
import { Feed } from './feed.js';

// Has the server's events told to this page; returns what says which of them it needs. One stream for all
// tabs where the browser can share a worker, else one of this page's own. How it goes stands above the page.
export function subscribe(worker, tell) {
  const bar = document.getElementById('connection');
  const hear = ({ html, connection }) => (html ? tell(html) : (bar.dataset.state = connection));
  const send = connect(worker, hear);
  let last = null;
  bar.querySelector('button').addEventListener('click', () => send(last));
  return (state) => send((last = state));
}

// What stays as it is keeps the focus, and is not said again.
export function showNotices(next) {
  const shown = document.getElementById('notices');
  if (words(next) !== words(shown)) shown.replaceChildren(...next.childNodes);
}

function words({ textContent }) {
  return textContent.replace(/\s+/g, ' ').trim();
}

function connect(worker, hear) {
  const port = sharedPort(worker);
  if (port) {
    port.addEventListener('message', ({ data }) => hear(data));
    port.start();
    return (state) => port.postMessage(state);
  }
  const feed = new Feed();
  return (state) => feed.update(hear, hear, state);
}

// A browser that forbids storage forbids shared workers too.
function sharedPort(worker) {
  try {
    return sharedWorker(worker).port;
  } catch {
    return null;
  }
}
