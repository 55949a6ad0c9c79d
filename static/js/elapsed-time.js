// A number that counts seconds, up or down to nothing; the server drew where it begins.
class ElapsedTime extends HTMLElement {
  connectedCallback() {
    this.begins = Number(this.textContent);
    this.since = performance.now();
    this.timer = setInterval(() => this.show(), 1000);
  }

  disconnectedCallback() {
    clearInterval(this.timer);
  }

  show() {
    const passed = Math.round((performance.now() - this.since) / 1000);
    const now = this.begins + Number(this.dataset.step) * passed;
    this.textContent = now > 0 ? now : '';
    const bar = this.closest('.plate')?.querySelector('progress[value]:not([data-known])');
    if (bar) bar.value = now;
    if (now <= 0) clearInterval(this.timer);
  }
}

customElements.define('elapsed-time', ElapsedTime);
