import { kept } from './storage.js';

const SOUND = 'easel-sound';
const NOTICE = 'easel-notice';

export const chosen = (name) => kept(name) === 'yes';
export const names = { sound: SOUND, notice: NOTICE };

// Tells somebody who is elsewhere that a picture is ready: a short tone, a notification, as chosen.
export function notify(word) {
  if (chosen(SOUND)) tone();
  if (chosen(NOTICE) && document.hidden && globalThis.Notification?.permission === 'granted') {
    new Notification('Easel', { body: word, tag: 'easel' });
  }
}

export function tone() {
  const audio = new AudioContext();
  const [voice, volume] = [audio.createOscillator(), audio.createGain()];
  voice.frequency.value = 660;
  volume.gain.setValueAtTime(0.12, audio.currentTime);
  volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + 0.5);
  voice.connect(volume).connect(audio.destination);
  voice.addEventListener('ended', () => audio.close());
  voice.start();
  voice.stop(audio.currentTime + 0.5);
}
