// The page that holds three users. Each is a frame of its own, because TIM.create answers with one
// instance per SDKAppID, as tim-wx-sdk does: several users cannot live in one page.

import { countOf } from './display.js';
import { setBadge } from './dom.js';
import { speak, t } from './language.js';

const desks = document.querySelectorAll('.desk');
const buttons = document.querySelectorAll('.users button');
const unread = new Map(); // userID -> how many messages

// On a phone one user is shown. The other frame goes on running, so that its badge can count.
function show(user) {
  desks.forEach((desk) => desk.toggleAttribute('data-shown', desk.dataset.user === user));
  buttons.forEach((button) => button.setAttribute('aria-pressed', String(button.dataset.show === user)));
}

function render() {
  document.title = t('title');
  buttons.forEach((button) => setBadge(button.querySelector('.badge'), unread.get(button.dataset.show) || 0));
}

buttons.forEach((button) => button.addEventListener('click', () => show(button.dataset.show)));
window.addEventListener('message', (event) => {
  if (event.origin !== location.origin || !event.data || event.data.kind !== 'unread') return;
  unread.set(event.data.userID, countOf(event.data.count));
  render();
});
speak(render);
