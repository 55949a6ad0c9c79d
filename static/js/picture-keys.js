const KEYS = {
  ArrowLeft: 'newer', ArrowRight: 'older', r: 'more', f: 'favourite', d: 'download', Delete: 'delete',
};

// The keys of the picture page; none of them works while something is being typed.
class PictureKeys extends HTMLElement {
  connectedCallback() {
    addEventListener('keydown', this);
  }

  disconnectedCallback() {
    removeEventListener('keydown', this);
  }

  handleEvent(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches('input, textarea, select')) return;
    document.getElementById(KEYS[event.key] ?? '')?.click();
  }
}

customElements.define('picture-keys', PictureKeys);
