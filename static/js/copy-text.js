const SHOWN_MS = 2000;

// Copies a text; where plain http forbids the clipboard, selects it so that Ctrl+C does.
export class CopyText extends HTMLElement {
  connectedCallback() {
    this.button = this.querySelector('button');
    this.words = this.button.textContent;
    this.source = document.getElementById(this.dataset.from);
    this.hidden = !this.possible;
    this.button.addEventListener('click', () => this.copy());
  }

  get possible() {
    return true;
  }

  async copy() {
    try {
      await this.write();
      this.tell(this.dataset.done);
    } catch {
      this.select();
      this.tell(this.dataset.instead);
    }
  }

  async write() {
    await navigator.clipboard.writeText(this.source.textContent);
  }

  select() {
    this.source.closest('details')?.setAttribute('open', '');
    getSelection().selectAllChildren(this.source);
  }

  // In the button for the eye, beside it for the ear.
  tell(words) {
    this.button.textContent = words;
    document.getElementById('copied').textContent = words;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => (this.button.textContent = this.words), SHOWN_MS);
  }
}

customElements.define('copy-text', CopyText);
