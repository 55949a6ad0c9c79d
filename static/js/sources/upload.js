import { PICTURE } from '../dropped-files.js';

const MOST_BYTES = 50 * 1024 * 1024;

// Names what is wrong with a file before it is sent; undefined: nothing.
export function faultOf({ type, name, size }) {
  const kinds = document.querySelector('[data-sources]').accept.split(',');
  if (!(type ? kinds.includes(type) : PICTURE.test(name))) return 'kinds'; // no system knows every type
  return size > MOST_BYTES ? 'large' : undefined;
}

// The chip of a picture on its way: how far it is, or why it did not come, with a way to try again.
export class Upload {
  constructor(file, list, parent) {
    Object.assign(this, { file, list, parent });
    const { uploading } = list.row.dataset;
    this.chip = list.querySelector('template').content.firstElementChild.cloneNode(true);
    this.chip.upload = this;
    this.picture.src = URL.createObjectURL(file);
    this.chip.querySelector('b').textContent = file.name;
    this.chip.querySelector('progress').ariaLabel = `${uploading} ${file.name}`;
    this.again.addEventListener('click', () => this.list.uploads.send([this]));
    this.chip.querySelector('[data-remove]').ariaLabel = list.words('remove', file.name);
    this.say(uploading);
  }

  get picture() {
    return this.chip.querySelector('img');
  }

  get again() {
    return this.chip.querySelector('[data-again]');
  }

  say(text, hasFailed = false) {
    const words = this.chip.querySelector('small');
    words.textContent = text;
    words.classList.toggle('wrong', hasFailed);
    this.again.hidden = !hasFailed;
    this.chip.querySelector('progress').hidden = hasFailed;
  }

  // Gives the id of the picture and whether it is new; null where it did not come.
  async send() {
    this.say(this.list.row.dataset.uploading);
    const { images, known, refused, error } = await this.ask();
    const [image] = [...(images ?? []), ...(known ?? [])];
    if (image) return { id: image.id, isNew: images.length > 0 };
    const [why] = refused ?? [];
    this.say(why ? `${why.name} ${why.message}` : (error?.message ?? this.list.row.dataset.lost), true);
    return null;
  }

  // A fetch tells nothing of how far it is.
  ask() {
    const body = new FormData();
    if (this.parent) body.append('parent', this.parent); // the picture that it was made of
    body.append('picture', this.file, this.file.name);
    const asking = (this.asking = new XMLHttpRequest());
    asking.open('POST', this.list.dataset.address);
    asking.setRequestHeader('Accept', 'application/json');
    asking.responseType = 'json';
    const bar = this.chip.querySelector('progress');
    asking.upload.addEventListener('progress', ({ loaded, total }) => (bar.value = loaded / total));
    return new Promise((resolve) => {
      asking.addEventListener('loadend', () => resolve(asking.response ?? {}));
      asking.send(body);
    });
  }

  remove() {
    this.asking?.abort();
    URL.revokeObjectURL(this.picture.src);
    this.chip.remove();
  }
}
