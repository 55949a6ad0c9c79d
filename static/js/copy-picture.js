import { CopyText } from './copy-text.js';

// Copies a picture as PNG, the one kind that every clipboard takes; not to be seen where there is none.
class CopyPicture extends CopyText {
  get possible() {
    return Boolean(navigator.clipboard?.write && globalThis.ClipboardItem);
  }

  async write() {
    await navigator.clipboard.write([new ClipboardItem({ 'image/png': this.png() })]);
  }

  async png() {
    await this.source.decode();
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [this.source.naturalWidth, this.source.naturalHeight];
    canvas.getContext('2d').drawImage(this.source, 0, 0);
    return new Promise((done, fail) => canvas.toBlob((blob) => (blob ? done(blob) : fail(new Error('no room'))), 'image/png'));
  }

  select() {
    // a picture can not be selected for Ctrl+C everywhere: the words say so
  }
}

customElements.define('copy-picture', CopyPicture);
