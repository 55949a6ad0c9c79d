// Drop, paste or choose a picture, and the form fills with what its file says of how it was made.
class DropPicture extends HTMLElement {
  connectedCallback() {
    this.input = this.querySelector('input[type=file]');
    this.input.addEventListener('change', () => this.read(this.input.files[0]));
    this.listeners = {
      dragover: (event) => event.dataTransfer?.types.includes('Files') && event.preventDefault(),
      drop: (event) => this.took(event, event.dataTransfer?.files[0]),
      paste: (event) => this.took(event, event.clipboardData?.files[0]),
    };
    for (const [name, act] of Object.entries(this.listeners)) document.addEventListener(name, act);
  }

  disconnectedCallback() {
    for (const [name, act] of Object.entries(this.listeners)) document.removeEventListener(name, act);
  }

  took(event, file) {
    if (!file) return;
    event.preventDefault();
    this.read(file);
  }

  async read(file) {
    if (!file) return;
    const body = new FormData();
    body.append('picture', file);
    const answer = await fetch(this.input.form.action, { method: 'POST', body, headers: { Accept: 'application/json' } });
    const { fields = {}, message, error } = await answer.json();
    const form = document.querySelector('form.composer');
    for (const [name, value] of Object.entries(fields)) form.elements[name].value = value;
    form.dispatchEvent(new Event('input'));
    const word = this.querySelector('[role=status]');
    word.textContent = message ?? error.message;
    word.hidden = false;
  }
}

customElements.define('drop-picture', DropPicture);
