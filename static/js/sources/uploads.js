import { faultOf, Upload } from './upload.js';

// What is on its way to a list of pictures to start from. Nothing is sent without it.
export class Uploads {
  constructor(list) {
    this.list = list;
    this.parents = new Map(); // of what was made larger here
    list.form.addEventListener('submit', (event) => this.complete(event), true);
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

  send(uploads) {
    return this.list.draft.until(this.bring(uploads));
  }

  // One after the other, so that each is kept as soon as it is there.
  async bring(uploads) {
    for (const upload of uploads) {
      const sent = upload.chip.isConnected && (await upload.send());
      if (sent) await this.list.arrive(upload, sent).catch(() => upload.say(this.list.row.dataset.lost, true));
    }
  }

  // What was made larger takes the place of what it was made of, whenever it arrives, and leads to it: that is kept.
  // What had been made larger before is not.
  replace(chip, blob, arrived) {
    const id = Number(chip.dataset.id);
    const parent = this.parents.get(id) ?? id;
    const upload = new Upload(new File([blob], 'enlarged.png', { type: blob.type }), this.list, parent);
    upload.arrived = (larger) => {
      this.parents.set(Number(larger.dataset.id), parent);
      this.list.fresh.delete(parent);
      this.list.take(chip);
      return arrived(larger);
    };
    chip.before(upload.chip);
    return this.send([upload]);
  }

  // What did not come is told, and what is not there yet is waited for.
  complete(event) {
    const { draft } = this.list;
    const again = this.list.querySelector('[data-again]:not([hidden])');
    if (again) {
      event.preventDefault();
      event.stopImmediatePropagation();
      this.list.warn('unsent');
      return again.focus();
    }
    if (!draft.works && !this.list.masks) draft.until(this.list.ready).catch(() => null);
    return draft.works ? this.list.row && this.list.say('uploading') : this.list.used();
  }
}
