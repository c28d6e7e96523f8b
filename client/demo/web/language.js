// The language of the pages: the one that the user has chosen here, otherwise the browser's.

import { TEXTS } from './texts.js';

const KEY = 'hongyan-language';
const DAY_MS = 86_400_000;
const LATEST_MS = 8.64e15; // Beyond it there is no Date.
const rendering = [];
let language = remembered() || preferred();

function remembered() {
  try {
    const chosen = localStorage.getItem(KEY);
    return Object.hasOwn(TEXTS, chosen) ? chosen : '';
  } catch {
    return ''; // The browser keeps nothing for this page.
  }
}

function preferred() {
  for (const tag of navigator.languages) {
    if (/^zh\b/i.test(tag)) return 'zh-CN';
    if (/^en\b/i.test(tag)) return 'en';
  }
  return 'en';
}

/** The table of the language. */
export const texts = () => TEXTS[language];

/** The text of a key; functions get the values. */
export function t(key, ...values) {
  const text = texts()[key];
  return typeof text === 'function' ? text(...values) : text;
}

function use(chosen) {
  language = chosen;
  document.documentElement.lang = language;
  for (const [attribute, write] of Object.entries(WRITERS)) {
    document.querySelectorAll(`[data-${attribute}]`).forEach((node) => {
      write(node, t(node.getAttribute(`data-${attribute}`), node.dataset.of));
    });
  }
  document.querySelectorAll('[data-language]').forEach((button) => {
    button.textContent = t('otherLanguage');
    button.lang = language === 'en' ? 'zh-CN' : 'en';
  });
  rendering.forEach((render) => render());
}

// How the HTML says which text goes where. `data-of` is the user whom the text names.
const WRITERS = {
  text: (node, text) => { node.textContent = text; },
  label: (node, text) => node.setAttribute('aria-label', text),
  title: (node, text) => { node.title = text; },
  placeholder: (node, text) => { node.placeholder = text; },
};

/** Puts the texts into the page, and calls `render` now and whenever the language changes. */
export function speak(render) {
  rendering.push(render);
  document.querySelectorAll('[data-language]').forEach((button) => {
    button.addEventListener('click', () => {
      use(button.lang);
      try {
        localStorage.setItem(KEY, language);
      } catch {
        // It holds until the page is left.
      }
    });
  });
  // Another page, or the one around this frame, has changed it.
  window.addEventListener('storage', (event) => {
    if (event.key === KEY) use(remembered() || preferred());
  });
  use(language);
}

const formats = new Map();

function format(name, options) {
  const key = language + name;
  if (!formats.has(key)) {
    // The browser's own variant of the language: en-GB and en-US write dates in different ways.
    const variant = navigator.languages.find((tag) => tag.split('-')[0] === language.split('-')[0]);
    formats.set(key, new Intl.DateTimeFormat(variant || language, options));
  }
  return formats.get(key);
}

const midnight = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();

/** A time as a list shows it: the clock today, the day before that. `withTime` adds the clock. '' for what is no time. */
export function timeText(seconds, withTime) {
  if (typeof seconds !== 'number' || !(seconds > 0) || seconds * 1000 > LATEST_MS) return '';
  const then = new Date(seconds * 1000);
  const now = new Date();
  const clock = format('clock', { hour: '2-digit', minute: '2-digit' }).format(then);
  const days = Math.round((midnight(now) - midnight(then)) / DAY_MS);
  if (days <= 0) return clock;
  let day;
  if (days === 1) day = t('yesterday');
  else if (days < 7) day = format('weekday', { weekday: 'long' }).format(then);
  else if (then.getFullYear() === now.getFullYear()) day = format('day', { month: 'short', day: 'numeric' }).format(then);
  else day = format('date', { year: 'numeric', month: 'short', day: 'numeric' }).format(then);
  return withTime ? day + ' ' + clock : day;
}
