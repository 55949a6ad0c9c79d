// Copies a text; where plain http forbids the clipboard, selects it so that Ctrl+C does.
class CopyText extends HTMLElement {
  connectedCallback() {
    this.hidden = false;
    this.button = this.querySelector('button');
    this.button.addEventListener('click', () => this.copy());
  }

  async copy() {
    const source = document.getElementById(this.dataset.from);
    if (!navigator.clipboard) {
      getSelection().selectAllChildren(source);
      return;
    }
    await navigator.clipboard.writeText(source.textContent);
    this.button.textContent = this.button.dataset.done;
  }
}

customElements.define('copy-text', CopyText);
