import { fragment } from '../fragment.js';
import { Editor } from './editor.js';
import { Enlarging } from './enlarging.js';
import { Levels } from './pixels/levels.js';
import { greyPng, greysOf } from './pixels/grey-png.js';
import { Sheet } from './sheet.js';
import { Picture } from './view/picture.js';

const PAGE = new URL('../../../../mask-editor', import.meta.url);

// Opens the editor over a picture, given as its address or as a Blob, with the size that it is shown in, and over a
// mask that it may have. Gives the mask as a PNG of that size, white where it changes, or null where all of it may
// change; `enlarged` as well where the picture was given a border. Gives null where nothing is to be different.
export async function openMask({ image, width, height, mask = null }) {
  const dialog = await fragment(PAGE);
  let sheet;
  try {
    await show(dialog);
    const [picture, levels] = await Promise.all([
      blobOf(image).then((blob) => Picture.load(blob, width, height)),
      mask ? blobOf(mask).then((blob) => greysOf(blob, width, height)) : undefined,
    ]);
    if (!dialog.open) return null;
    sheet = new Sheet(picture, new Levels(width, height, levels));
    const editor = new Editor(dialog, sheet);
    new Enlarging(dialog.querySelector('.enlarging'), editor);
    dialog.removeAttribute('aria-busy');
    dialog.querySelector('[autofocus]').focus(); // until now it was not in sight
    return (await isTaken(dialog, editor)) ? await taken(editor, picture) : null;
  } finally {
    sheet?.close();
    dialog.close();
    dialog.remove();
  }
}

async function blobOf(source) {
  if (source instanceof Blob) return source;
  const response = await fetch(source);
  if (!response.ok) throw new Error(`${response.status}`);
  return response.blob();
}

// Opens the dialog once its style sheet is there.
async function show(dialog) {
  const sheet = dialog.querySelector('link');
  const loaded = new Promise((onload, onerror) => Object.assign(sheet, { onload, onerror }));
  document.body.append(dialog);
  await loaded;
  dialog.showModal();
  if (!('command' in HTMLButtonElement.prototype)) dialog.addEventListener('click', openInner);
}

function openInner({ target }) {
  const button = target.closest('[commandfor]');
  if (button) document.getElementById(button.getAttribute('commandfor')).showModal();
}

// Waits until the mask is used, or given up; where something was painted, leaving asks first.
function isTaken(dialog, editor) {
  const asking = dialog.querySelector('.discarding');
  const until = new AbortController();
  return new Promise((decide) => {
    const leave = () => {
      if (editor.act) editor.giveUp();
      else if (editor.isChanged) asking.showModal();
      else decide(false);
    };
    const acts = { cancel: leave, discard: () => decide(false), use: () => decide(true) };
    dialog.addEventListener('click', ({ target }) => acts[target.closest('button[value]')?.value]?.());
    dialog.addEventListener('cancel', (event) => {
      if (event.target !== dialog) return;
      event.preventDefault();
      leave();
    });
    addEventListener('beforeunload', (event) => editor.isChanged && event.preventDefault(), until);
    dialog.addEventListener('close', (event) => event.target === dialog && decide(false));
  }).finally(() => {
    until.abort();
    editor.close();
  });
}

async function taken(editor, original) {
  await editor.enlarging;
  const { picture, levels } = editor.sheet;
  const mask = levels.share ? await greyPng(levels) : null;
  if (picture === original) return { mask };
  const enlarged = await new Promise((done) => picture.source.toBlob(done));
  if (!enlarged) throw new Error(`${picture.width}x${picture.height}`); // more than the browser can
  return { mask, enlarged };
}
