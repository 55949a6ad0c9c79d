import { chosen, names, tone } from './notify.js';
import { keep } from './storage.js';

// Whether this browser makes a sound or shows a notification when a picture is ready.
class NotifyChoice extends HTMLElement {
  connectedCallback() {
    this.hidden = false;
    for (const box of this.querySelectorAll('input')) {
      box.checked = chosen(names[box.name]);
      box.addEventListener('change', () => this.choose(box));
    }
    // Plain http has no notifications; the tab's title, its icon and the sound stay.
    const notice = this.querySelector('[name=notice]');
    notice.disabled = !globalThis.isSecureContext || !globalThis.Notification;
    this.querySelector('[data-why]').hidden = !notice.disabled;
  }

  async choose(box) {
    if (box.name === 'notice' && box.checked) {
      box.checked = (await Notification.requestPermission()) === 'granted';
    }
    if (box.name === 'sound' && box.checked) tone();
    keep(names[box.name], box.checked ? 'yes' : 'no');
  }
}

customElements.define('notify-choice', NotifyChoice);
