// What is shown of users and messages. Their fields were filled in by somebody else and hold
// whatever they hold, so types are checked here, and nothing else reads them for the page. All of
// it is text: no field ever becomes HTML or a URL.

const PLACEHOLDERS = new Map([
  ['TIMImageElem', 'image'],
  ['TIMSoundElem', 'sound'],
  ['TIMFileElem', 'file'],
  ['TIMVideoFileElem', 'video'],
  ['TIMLocationElem', 'location'],
  ['TIMRelayElem', 'merged'],
  ['TIMFaceElem', 'face'],
  ['TIMCustomElem', 'custom'],
]);

// The field that says in words what the message is.
const WORDS = new Map([
  ['TIMTextElem', 'text'],
  ['TIMFaceElem', 'data'],
  ['TIMCustomElem', 'description'],
]);

const isObject = (value) => typeof value === 'object' && value !== null;
const textOf = (value) => (typeof value === 'string' ? value : '');

/** The text of a message, or the placeholder of its type from this table of texts. */
export function bodyOf(message, texts) {
  const { type, payload } = isObject(message) ? message : {};
  const words = isObject(payload) && WORDS.has(type) ? textOf(payload[WORDS.get(type)]) : '';
  return words || texts[PLACEHOLDERS.get(type) || 'unknown'];
}

/** The name to show for a user: the first of these that is one. */
export function firstName(...names) {
  return names.map((name) => textOf(name).trim()).find(Boolean) || '?';
}

/** A number of messages: nothing for what is no number. */
export function countOf(value) {
  return Number.isFinite(value) && value > 0 ? Math.floor(value) : 0;
}

// A family is seven code points and a flag two; a letter may have marks. Cutting in between makes
// other characters of it. Browsers before 2024 do not all have Segmenter: there the usual sequences are kept.
const SEQUENCES =
  /\p{RI}\p{RI}|[\d#*]\uFE0F?\u20E3|\p{Emoji}[\p{EMod}\uFE0F\u{E0020}-\u{E007F}]*(?:\u200D\p{Emoji}[\p{EMod}\uFE0F]*)*|\P{M}\p{M}*|\p{M}+/gsu;

/**
 * What a reader takes for the characters of a text, one after the other.
 * @param {string} text
 * @param {typeof Intl.Segmenter | null} [Segmenter]
 */
export function* graphemes(text, Segmenter = Intl.Segmenter) {
  if (Segmenter) for (const { segment } of new Segmenter(undefined, { granularity: 'grapheme' }).segment(text)) yield segment;
  else for (const [sequence] of text.matchAll(SEQUENCES)) yield sequence;
}

/** The letter in a user's avatar. */
export function initialOf(name, Segmenter) {
  const [first] = graphemes(name, Segmenter);
  return (first || '?').toUpperCase();
}

const EMOJI = /^(?:\p{RI}\p{RI}|[\d#*]\uFE0F?\u20E3|\p{Emoji_Presentation}|\p{Emoji}\p{EMod}|\p{Extended_Pictographic}\uFE0F)/u;
const JUMBO = 3;
const LONGEST_EMOJI = 40;

/** Whether a text is one to three emoji and nothing else, which is shown large. */
export function isJumbo(text, Segmenter) {
  if (!text || text.length > JUMBO * LONGEST_EMOJI) return false;
  const all = [...graphemes(text, Segmenter)];
  return all.length <= JUMBO && all.every((grapheme) => EMOJI.test(grapheme));
}

/** Which of six colours a user has. */
export function hueOf(userID) {
  let hash = 0;
  for (const letter of userID) hash = (hash * 31 + letter.codePointAt(0)) % 997;
  return hash % 6;
}
