/** What each type of message is made of. */

import type { MessageType, Payloads } from '../types.js';

const EMPTY: { readonly [Type in MessageType]?: Payloads[Type] } = {
  TIMTextElem: { text: '' },
  TIMCustomElem: { data: '', description: '', extension: '' },
  TIMFaceElem: { index: 0, data: '' },
  TIMLocationElem: { description: '', longitude: 0, latitude: 0 },
  TIMImageElem: { uuid: '', imageFormat: 0, imageInfoArray: [] },
  TIMSoundElem: { uuid: '', url: '', remoteAudioUrl: '', size: 0, second: 0 },
  TIMVideoFileElem: {
    videoUUID: '', videoUrl: '', remoteVideoUrl: '', videoFormat: '', videoSecond: 0, videoSize: 0,
    thumbUUID: '', thumbUrl: '', thumbSize: 0, thumbWidth: 0, thumbHeight: 0, snapshotUrl: '',
  },
  TIMFileElem: { uuid: '', fileName: '', fileUrl: '', fileSize: 0 },
  TIMRelayElem: { title: '', abstractList: [], compatibleText: '', messageList: [] },
};

/** The fields of a type with empty values. Programs read `payload.text` of a recalled message too. */
export function emptyPayload(type: MessageType): object {
  return JSON.parse(JSON.stringify(EMPTY[type] ?? {})) as object;
}

/** The payload of a message that is built for show only: what is known of the fields of its type. */
export function payloadForShow(type: MessageType, given: object): object {
  const payload = emptyPayload(type) as Record<string, unknown>;
  for (const name of Object.keys(payload)) {
    const value = (given as Record<string, unknown>)[name];
    if (typeof value === typeof payload[name]) payload[name] = value;
  }
  // Programs show the first one of a picture.
  if (type === 'TIMImageElem') payload['imageInfoArray'] = [picture(), picture(), picture()];
  return payload;
}

function picture(): Payloads['TIMImageElem']['imageInfoArray'][number] {
  return { size: 0, width: 0, height: 0, url: '', imageUrl: '' };
}
