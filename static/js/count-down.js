// Counts down how long a server asked to wait; the button works all the time.
class CountDown extends HTMLElement {
  connectedCallback() {
    this.ends = Date.now() + 1000 * this.dataset.seconds;
    this.timer = setInterval(() => this.show(), 1000);
  }

  disconnectedCallback() {
    clearInterval(this.timer);
  }

  show() {
    const left = Math.ceil((this.ends - Date.now()) / 1000);
    this.querySelector('span').textContent = left > 0 ? `(${left})` : '';
    if (left <= 0) clearInterval(this.timer);
  }
}

customElements.define('count-down', CountDown);
