// The system's own sheet for a picture's file, where the browser has one and takes such files.
class SharePicture extends HTMLElement {
  connectedCallback() {
    const { address, name, type } = this.dataset;
    this.hidden = !navigator.canShare?.({ files: [new File([], name, { type })] });
    this.addEventListener('click', () => this.share(address, name, type));
  }

  async share(address, name, type) {
    try {
      const response = await fetch(address);
      await navigator.share({ files: [new File([await response.blob()], name, { type })] });
    } catch {
      // closed without a choice, or the file is gone: there is nothing to add
    }
  }
}

customElements.define('share-picture', SharePicture);
