export const PICTURE = /\.(png|jpe?g|jfif|webp|gif|avif)$/i;
const NO_PICTURES = /^(\.|@|thumb(nail)?s$|(txt2img-|img2img-)?grids$|__macosx$)/i;

// Catches what is dropped anywhere on the page, so that none leads the tab away; pictures of the page itself
// may be moved a little without anything coming of it.
export function catchDrops(add) {
  let isOwn = false;
  const highlight = (isOver) => document.documentElement.toggleAttribute('data-dropping', isOver);
  const hasFiles = ({ dataTransfer }) => dataTransfer.types.includes('Files');
  document.addEventListener('dragstart', () => (isOwn = true));
  document.addEventListener('dragend', () => (isOwn = false));
  document.addEventListener('dragleave', (event) => event.relatedTarget ?? highlight(false));
  document.addEventListener('dragover', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    highlight(!isOwn);
  });
  document.addEventListener('drop', async (event) => {
    highlight(false);
    if (!hasFiles(event)) return;
    event.preventDefault();
    if (!isOwn) add(await droppedFiles(event.dataTransfer).catch(() => []));
  });
}

// The files of a drop, folders opened, a label (`fox.gif.xmp`) only with its picture. It is called in the
// event itself: afterwards the browser forgets what was dropped.
async function droppedFiles({ items, files }) {
  const entries = [...items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return paired([...files]);
  const found = [];
  for (const entry of entries) await open(entry, found);
  return paired(found);
}

async function open(entry, found) {
  if (NO_PICTURES.test(entry.name)) return;
  if (entry.isFile) {
    found.push(await new Promise((resolve, reject) => entry.file(resolve, reject)));
    return;
  }
  const reader = entry.createReader();
  let some = []; // a folder is told a hundred names at a time
  do {
    some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    for (const inner of some) await open(inner, found);
  } while (some.length);
}

// Each picture, with the label that lies beside it.
export function paired(files) {
  const place = (file) => `${file.webkitRelativePath || file.name}`;
  const isHidden = (file) => place(file).split('/').some((part) => NO_PICTURES.test(part));
  const labels = new Map(files.filter(({ name }) => name.endsWith('.xmp')).map((file) => [place(file), file]));
  const pictures = files.filter((file) => PICTURE.test(file.name) && !isHidden(file));
  return pictures.map((picture) => ({ picture, label: labels.get(`${place(picture)}.xmp`) }));
}
