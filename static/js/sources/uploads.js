import { faultOf, Upload } from './upload.js';

// What is on its way to a list of pictures to start from. Nothing is sent without it.
export class Uploads {
  constructor(list) {
    this.list = list;
    this.parents = new Map(); // of what was made larger here
    list.form.addEventListener('submit', (event) => this.hold(event), true);
  }

  get arePending() {
    return Boolean(this.list.querySelector('.coming'));
  }

  async add(files) {
    const { list } = this;
    await list.ready;
    list.warn();
    const fine = files.filter((file) => !this.refuse(file));
    const most = Number(list.row.dataset.most);
    const room = most - list.querySelectorAll('.source:is([data-id], .coming)').length;
    if (fine.length > room) list.warn('many', most);
    const uploads = fine.slice(0, room).map((file) => new Upload(file, list));
    for (const { chip } of uploads) list.put(chip);
    list.changed();
    uploads.at(-1)?.chip.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    await this.send(uploads);
  }

  refuse(file) {
    const fault = faultOf(file);
    if (fault) this.list.warn(fault, file.name);
    return fault;
  }

  // One after the other, so that each is kept as soon as it is there.
  async send(uploads) {
    for (const upload of uploads) await this.bring(upload);
    if (!this.isWaiting || this.arePending) return;
    this.isWaiting = false;
    this.list.form.requestSubmit();
  }

  async bring(upload) {
    const sent = upload.chip.isConnected && (await upload.send());
    if (!sent) return null;
    return this.list.arrive(upload, sent).catch(() => upload.say(this.list.row.dataset.lost, true));
  }

  // What was made larger takes the place of what it was made of, which is kept. One that was made larger before only
  // leads to that.
  async replace(chip, blob) {
    const id = Number(chip.dataset.id);
    const parent = this.parents.get(id) ?? id;
    const upload = new Upload(new File([blob], 'enlarged.png', { type: blob.type }), this.list, parent);
    chip.before(upload.chip);
    const larger = await this.bring(upload);
    if (!larger) return null;
    this.parents.set(Number(larger.dataset.id), parent);
    this.list.fresh.delete(parent);
    this.list.take(chip);
    return larger;
  }

  hold(event) {
    if (!this.arePending) return this.list.used();
    event.preventDefault();
    event.stopImmediatePropagation();
    const again = this.list.querySelector('[data-again]:not([hidden])');
    this.isWaiting = !again;
    if (!again) return this.list.say('uploading');
    this.list.warn('unsent');
    return again.focus();
  }
}
