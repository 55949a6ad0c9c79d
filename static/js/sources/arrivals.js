import '../source-list.js';
import { faultOf } from './upload.js';

const EDGE_PX = 8;
const list = () => document.querySelector('source-list');
const form = () => document.querySelector('form.composer');
let newest; // the file that was read last: another one may come meanwhile

// What was dropped or pasted is to start from, unless it is one that tells how it was made: then that is asked.
export async function bring(host, files, place) {
  const sources = list();
  await sources.ready;
  const isAsked = files.length === 1 && !faultOf(files[0]);
  const read = isAsked ? await readingOf(host, files[0]) : null;
  if (read && newest !== files[0]) return null;
  if (!Object.keys(read?.fields ?? {}).length) return sources.uploads.add(files);
  return offer(host, files[0], read, place);
}

export function add(host, files) {
  return list().uploads.add(files);
}

// A result that has just come is edited alone; another picture joins those that are there.
export function use(host, link) {
  return list().use(Number(link.dataset.source), Boolean(link.closest('[data-fresh]')));
}

export async function read(host, [file]) {
  if (file.type && !file.type.startsWith('image/')) return say(host, host.dataset.none);
  const told = await readingOf(host, file);
  if (newest === file) fill(host, told);
  return null;
}

export function write(host, text) {
  const { prompt } = form().elements;
  if (!text) return;
  prompt.value = [prompt.value.trimEnd(), text].filter(Boolean).join('\n');
  prompt.focus();
  form().dispatchEvent(new Event('input'));
}

async function readingOf(host, file) {
  newest = file;
  const body = new FormData();
  body.append('picture', file);
  try {
    const { action } = host.querySelector('form');
    const answer = await fetch(action, { method: 'POST', body, headers: { Accept: 'application/json' } });
    const { fields, message, error } = await answer.json();
    return { fields, message: message ?? error.message };
  } catch {
    return { message: host.dataset.unread }; // a folder, a file that went, no connection
  }
}

function fill(host, { fields = {}, message }) {
  for (const [name, value] of Object.entries(fields)) form().elements[name].value = value;
  form().dispatchEvent(new Event('input'));
  say(host, message);
}

// Asks at the place of the drop; who is asked by keys is led there and back.
function offer(host, file, told, place) {
  const asking = list().querySelector('.offer');
  const { x, y } = place ?? form().getBoundingClientRect();
  const acts = {
    settings: () => {
      fill(host, told);
      form().elements.prompt.focus();
    },
    start: () => list().uploads.add([file]),
  };
  asking.onclick = ({ target }) => {
    const act = acts[target.closest('button')?.value];
    if (act) asking.hidePopover();
    act?.();
  };
  asking.showPopover();
  const { width, height } = asking.getBoundingClientRect();
  asking.style.left = `${Math.max(EDGE_PX, Math.min(x, innerWidth - width - EDGE_PX))}px`;
  asking.style.top = `${Math.max(EDGE_PX, Math.min(y, innerHeight - height - EDGE_PX))}px`;
  asking.querySelector('button').focus();
}

function say(host, words) {
  host.querySelector('[role=status]').textContent = words;
}
