// What a message says of its picture, voice, video or file. Others have filled it in, so types are checked here: an
// address is one of http or https, and only what this user is sending lies on the device.
const text = require('./text');

const URL_BYTES = 2048;
const NAME_BYTES = 300;
const MOST = 1e12; // More than this is no number of bytes, seconds or pixels.
const BOX = { width: 420, height: 500, least: 130 }; // In rpx.
// They end the line, or turn the letters around so that an extension looks like another one.
const TRICKS = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
// What WeChat can show of files.
const DOCUMENTS = ['doc', 'docx', 'xls', 'xlsx', 'ppt', 'pptx', 'pdf'];

const KINDS = new Map([
  ['TIMImageElem', function (payload, safe) {
    const all = Array.isArray(payload.imageInfoArray) ? payload.imageInfoArray.map(object) : [];
    const original = all[0] || {};
    const large = all[2] || {};
    const url = safe(original.url);
    return { kind: 'picture', url: url, src: safe(large.url) || url, width: amount(original.width), height: amount(original.height) };
  }],
  ['TIMSoundElem', function (payload, safe) {
    return { kind: 'voice', url: safe(payload.url), seconds: amount(payload.second) };
  }],
  ['TIMVideoFileElem', function (payload, safe) {
    return {
      kind: 'video', url: safe(payload.videoUrl), src: safe(payload.thumbUrl), seconds: amount(payload.videoSecond),
      width: amount(payload.thumbWidth), height: amount(payload.thumbHeight),
    };
  }],
  ['TIMFileElem', function (payload, safe) {
    const name = text.of(payload.fileName).replace(TRICKS, '').trim();
    return { kind: 'file', url: safe(payload.fileUrl), name: text.head(name, NAME_BYTES), size: amount(payload.fileSize) };
  }],
]);

function object(value) {
  return typeof value === 'object' && value !== null ? value : {};
}

function amount(value) {
  return typeof value === 'number' && value > 0 && value < MOST ? value : 0;
}

function urlOf(value, isOnDevice) {
  const url = text.of(value);
  if (!url || text.sizeOf(url) > URL_BYTES) return '';
  // WeChat calls some of the files of the device http://tmp/….
  const isLocal = /^(wxfile|https?:\/\/(tmp|usr|store)\/)/.test(url);
  return isLocal ? (isOnDevice ? url : '') : /^https?:\/\/[^/?#\\@]+([/?#]|$)/.test(url) ? url : '';
}

// What can be shown of a message: its `kind`, its `url` and what is known of it. Null for any other
// message, for one that leads nowhere, and for one that was recalled.
function of(message) {
  if (message.isRevoked || !KINDS.has(message.type)) return null;
  const isOnDevice = message.flow === 'out' && message.status !== 'success';
  const shown = KINDS.get(message.type)(object(message.payload), function (url) {
    return urlOf(url, isOnDevice);
  });
  return shown.url ? shown : null;
}

function clock(seconds) {
  const whole = Math.round(seconds);
  return Math.floor(whole / 60) + ':' + (whole % 60 < 10 ? '0' : '') + (whole % 60);
}

function sizeText(bytes) {
  if (!bytes) return '';
  if (bytes < 1024) return bytes + ' B';
  const isSmall = bytes < 1024 * 1024;
  const size = bytes / (isSmall ? 1024 : 1024 * 1024);
  return (size < 10 ? size.toFixed(1) : Math.round(size)) + (isSmall ? ' KB' : ' MB');
}

// How large a picture is in the list. One that is a strip is shown in part.
function box(width, height) {
  if (!width || !height) return { width: 280, height: 280 };
  const scale = Math.min(1, BOX.width / width, BOX.height / height);
  return { width: Math.max(BOX.least, Math.round(width * scale)), height: Math.max(BOX.least, Math.round(height * scale)) };
}

// The fields of a row for the screen. The address of the file itself is not needed there.
function row(id, shown, notes) {
  const fields = { progress: notes.progress[id] === undefined ? -1 : notes.progress[id] };
  if (shown.kind === 'picture' || shown.kind === 'video') {
    const known = shown.width && shown.height ? shown : notes.sizes[id] || {};
    const frame = box(known.width, known.height);
    // What was sent from here is shown from here: the same picture from elsewhere would flicker.
    Object.assign(fields, { src: notes.local[id] || shown.src, width: frame.width, height: frame.height });
  }
  if (shown.kind === 'video') fields.detail = shown.seconds ? clock(shown.seconds) : '';
  if (shown.kind === 'voice') {
    Object.assign(fields, { detail: shown.seconds ? shown.seconds + '″' : '', playing: notes.playing === id, width: 130 + 4 * Math.min(60, Math.round(shown.seconds)) });
  }
  if (shown.kind === 'file') {
    const dot = shown.name.search(/\.[^.\s]{1,8}$/);
    const end = dot > 0 ? dot : shown.name.length;
    Object.assign(fields, { stem: shown.name.slice(0, end) || '未命名的文件', extension: shown.name.slice(end), detail: sizeText(shown.size) });
  }
  return fields;
}

// What WeChat has to be told to show a file, or '' for one that it cannot show.
function documentType(name) {
  const extension = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  return DOCUMENTS.indexOf(extension) >= 0 ? extension : '';
}

module.exports = { documentType: documentType, of: of, row: row };
