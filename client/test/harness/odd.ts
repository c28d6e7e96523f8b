/** What a program that is not this client may put into a message. */

/** The fields of each type's payload that a chat could want to show. */
export const FIELDS = {
  TIMTextElem: ['text'],
  TIMFaceElem: ['index', 'data'],
  TIMCustomElem: ['data', 'description', 'extension'],
  TIMLocationElem: ['description', 'longitude', 'latitude'],
  TIMImageElem: ['uuid', 'imageFormat', 'imageInfoArray'],
  TIMSoundElem: ['uuid', 'url', 'second'],
  TIMVideoFileElem: ['uuid', 'videoUrl', 'thumbUrl'],
  TIMFileElem: ['uuid', 'fileName', 'fileUrl'],
  TIMRelayElem: ['title', 'abstractList', 'messageList'],
  TIMNewElem: ['anything'],
};

/** JSON that is not what it should be. */
export const ODD_VALUES: unknown[] = [
  null, true, 0, -1, 1e308, '', [], {}, ['x'], [null], [[[]]],
  { toString: 1 }, { valueOf: 1, toString: null }, { other: 'x' }, { length: 3 }, { then: 1 }, { constructor: null },
  JSON.parse('{"__proto__": {"text": "x"}}'),
];

const SCRIPT = 'javascript:document.title="owned"';

/** Pictures and links that would run something if they were used as URLs. */
export const SCRIPT_PAYLOADS: Record<string, object> = {
  TIMImageElem: { uuid: SCRIPT, imageFormat: 1, imageInfoArray: [{ type: 0, url: SCRIPT, imageUrl: SCRIPT }] },
  TIMSoundElem: { uuid: '1', url: SCRIPT, second: 1 },
  TIMVideoFileElem: { uuid: '1', videoUrl: SCRIPT, thumbUrl: SCRIPT },
  TIMFileElem: { uuid: '1', fileName: SCRIPT, fileUrl: SCRIPT },
};
