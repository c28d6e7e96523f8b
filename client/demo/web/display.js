// What is shown of users and messages. Their fields were filled in by somebody else and hold
// whatever they hold, so types are checked here, and nothing else reads them for the page. No field
// ever becomes HTML, and the addresses of pictures and files are those that a page may load.

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

const MAX_URL = 2048;

// Before it has arrived, what the user sends lies on the device, and nobody else's message can say so.
function urlOf(value, isOnDevice) {
  if (typeof value !== 'string' || value.length > MAX_URL) return '';
  let url;
  try {
    url = new URL(value);
  } catch {
    return ''; // It is no address by itself.
  }
  const { protocol, href, username, password } = url;
  if (protocol === 'blob:') return isOnDevice ? href : '';
  return /^https?:$/.test(protocol) && !username && !password ? href : '';
}

/** A number of bytes, seconds or pixels: 0 for what is none. */
const amountOf = (value) => (Number.isFinite(value) && value > 0 && value < 1e12 ? value : 0);

// They end the line, or turn the letters around so that an extension looks like another one.
const TRICKS = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

const MEDIA = new Map([
  ['TIMImageElem', ({ imageInfoArray }, safe) => {
    const [original, , large] = Array.isArray(imageInfoArray) ? imageInfoArray.map((each) => (isObject(each) ? each : {})) : [];
    const url = original ? safe(original.url) : '';
    return { kind: 'picture', url, shown: (large && safe(large.url)) || url, ...sidesOf(original) };
  }],
  ['TIMSoundElem', ({ url, second }, safe) => ({ kind: 'voice', url: safe(url), seconds: amountOf(second) })],
  ['TIMVideoFileElem', ({ videoUrl, videoSecond, thumbUrl, thumbWidth, thumbHeight }, safe) => ({
    kind: 'video', url: safe(videoUrl), shown: safe(thumbUrl), seconds: amountOf(videoSecond), ...sidesOf({ width: thumbWidth, height: thumbHeight }),
  })],
  ['TIMFileElem', ({ fileUrl, fileName, fileSize }, safe) => ({
    kind: 'file', url: safe(fileUrl), name: textOf(fileName).replace(TRICKS, '').trim(), size: amountOf(fileSize),
  })],
]);

function sidesOf({ width, height } = {}) {
  return amountOf(width) && amountOf(height) ? { width, height } : { width: 0, height: 0 };
}

/**
 * What can be shown of a message that brings a picture, a voice, a video or a file: its `kind`, its `url`, and what is
 * known of it. Null for any other message, and for one that leads nowhere.
 */
export function mediaOf(message) {
  const { type, payload, flow, status } = isObject(message) ? message : {};
  if (!MEDIA.has(type) || !isObject(payload)) return null;
  const isOnDevice = flow === 'out' && status !== 'success';
  const media = MEDIA.get(type)(payload, (url) => urlOf(url, isOnDevice));
  return media.url ? media : null;
}

const BOX = { width: 240, height: 280, least: 72 };

const isText = (value) => textOf(value) !== '';

/** What a tip of a group says, in the words of `t`; '' for what is none, or is one that nobody knows. `nameOf` names a user. */
export function tipText(message, t, nameOf = firstName) {
  const { type, payload, from } = isObject(message) ? message : {};
  if (type !== 'TIMGroupTipElem' || !isObject(payload)) return '';
  const { operationType, operatorID, userIDList, memberList, newGroupProfile } = payload;
  const nicks = new Map((Array.isArray(memberList) ? memberList : []).filter(isObject).map(({ userID, nick }) => [userID, textOf(nick)]));
  const users = (Array.isArray(userIDList) ? userIDList : []).filter(isText);
  const who = users.map((userID) => nameOf(nicks.get(userID), userID)).join('、');
  const operator = textOf(operatorID) || textOf(from);
  const by = nameOf(nicks.get(operator), operator);
  const isOwn = users.length === 1 && users[0] === operator;
  const changed = isObject(newGroupProfile) ? newGroupProfile : {};
  switch (operationType) {
    case 1: return isOwn ? t('tipJoined', who) : t('tipAdded', who, by);
    case 2: return t('tipQuit', who || by);
    case 3: return t('tipRemoved', who, by);
    case 4: return t('tipAdmin', who);
    case 5: return t('tipNoAdmin', who);
    case 6:
      if (isText(changed.ownerID)) return t('tipOwner', nameOf(changed.ownerID));
      if (isText(changed.groupName)) return t('tipName', by, changed.groupName);
      if (typeof changed.muteAllMembers === 'boolean') return t(changed.muteAllMembers ? 'tipMutedAll' : 'tipUnmutedAll', by);
      return t('tipProfile', by);
    case 7: {
      const { muteTime } = (Array.isArray(memberList) && memberList.find(isObject)) || {};
      return amountOf(muteTime) ? t('tipMuted', who, by) : t('tipUnmuted', who, by);
    }
    default: return '';
  }
}

/** A member in a list: the name, and what there is to say besides. */
export function memberText(name, role, isMuted, t) {
  return [name, role === 'Owner' && t('owner'), role === 'Admin' && t('admin'), isMuted && t('muted')].filter(Boolean).join(' · ');
}

/** How large a picture is shown in the list, in pixels of CSS. One that is a strip is shown in part. */
export function boxOf(width, height) {
  if (!width || !height) return [160, 160];
  const scale = Math.min(1, BOX.width / width, BOX.height / height);
  return [width, height].map((side) => Math.max(BOX.least, Math.round(side * scale)));
}

/** A size in bytes as people read it. */
export function sizeText(bytes) {
  const unit = bytes < 1024 ? 0 : bytes < 1024 ** 2 ? 1 : bytes < 1024 ** 3 ? 2 : 3;
  const size = bytes / 1024 ** unit;
  return `${unit && size < 10 ? size.toFixed(1) : Math.round(size)} ${['B', 'KB', 'MB', 'GB'][unit]}`;
}

/** A duration as a clock shows it. */
export function clockText(seconds) {
  const whole = Math.round(seconds);
  return Math.floor(whole / 60) + ':' + String(whole % 60).padStart(2, '0');
}

/** A file's name in two: the second part is its extension with the dot, which has to be seen however long the name is. */
export function splitName(name) {
  const dot = name.search(/\.[^.\s]{1,8}$/);
  return dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ''];
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
