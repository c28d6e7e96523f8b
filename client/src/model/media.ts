/** Messages with a file: what a chooser, a recorder or an input hands over, and what a payload says of it. No I/O. */

import { AUDIO_UPLOAD_FAIL, FILE_MISSING, FILE_UPLOAD_FAIL, FILE_URL_EMPTY, IMAGE_MISSING, NETWORK_ERROR, VIDEO_UPLOAD_FAIL } from '../codes.js';
import { ChatError } from '../errors.js';
import { isObject } from '../json.js';
import type { BrowserFile, ChosenFile, MediaFile, Message, MessageType, Payloads } from '../types.js';
import type { MediaKind } from '../wire.js';
import { emptyPayload, PICTURES } from './payload.js';

export type MediaType = 'TIMImageElem' | 'TIMSoundElem' | 'TIMVideoFileElem' | 'TIMFileElem';

/** A file on the device: a path of WeChat's, or what a browser has. */
export type Handle = string | BrowserFile;

/** Where a file lies in the storage, as the server calls it. */
export interface Place {
  key: string;
  mediaUrl: string;
}

/** A smaller picture of a picture, or the picture of a video. */
export interface Preview {
  handle: Handle;
  /** In bytes. */
  size: number;
  width: number;
  height: number;
  /** The shorter side that it was made for, in pixels. */
  limit: number;
}

/** A file that is to be sent. */
export interface Source {
  readonly handle: Handle;
  readonly name: string;
  /** As its name or the browser has it, and empty when neither says. */
  type: string;
  /** In bytes, and 0 when the device has not said. */
  size: number;
  seconds: number;
  width: number;
  height: number;
  /** What is uploaded beside it. It stays the same when the message is sent again. */
  previews: Preview[];
  /** Everything is known of it, and its previews are made. */
  isPrepared: boolean;
}

/**
 * What the wire calls each type, and Tencent's codes for a file that is not there and for an upload that fails. The server
 * knows what may be uploaded.
 */
export const MEDIA: { readonly [Type in MediaType]: readonly [kind: MediaKind, missing: number, failed: number] } = {
  TIMImageElem: ['image', IMAGE_MISSING, NETWORK_ERROR],
  TIMSoundElem: ['audio', AUDIO_UPLOAD_FAIL, AUDIO_UPLOAD_FAIL],
  TIMVideoFileElem: ['video', VIDEO_UPLOAD_FAIL, VIDEO_UPLOAD_FAIL],
  TIMFileElem: ['file', FILE_MISSING, FILE_UPLOAD_FAIL],
};

/** The types that the server takes, as a name ends with them or a browser or a phone calls them. A file may be of any. */
const TAKEN: { readonly [Type in MediaType]?: RegExp } = {
  TIMImageElem: /^(jpe?g|png|gif|bmp|webp)$/,
  TIMSoundElem: /^(mp3|aac|m4a|wav|amr|ogg|webm)$/,
  TIMVideoFileElem: /^(mp4|mov|quicktime)$/,
};

/** What browsers call the sounds that they record or that have no name. */
const SOUNDS: Record<string, string> = { 'mpeg': 'mp3', 'mp4': 'm4a', 'wave': 'wav' };
/** The numbers of the types of pictures: the first is 1. */
const FORMATS = ['jpg', 'gif', 'png', 'bmp'];
/** The shorter sides of the large picture and the thumbnail. */
export const LARGE = 720;
export const THUMBNAIL = 198;
/** What a video without a size of its own is said to have, in both directions. */
const VIDEO_SIDE = 200;

export function isMedia(type: MessageType): type is MediaType {
  // Another program may have called a type `constructor`.
  return Object.keys(MEDIA).includes(type);
}

/** The file in what a builder was given, or undefined when there is none. */
export function sourceOf(type: MediaType, given: MediaFile | undefined): Source | undefined {
  const outer = (given ?? {}) as ChosenFile & { tempFiles?: unknown; files?: unknown; tempFilePaths?: unknown; tempFile?: BrowserFile };
  const chosen = first(outer.tempFiles ?? outer.files ?? outer.tempFile ?? outer) as ChosenFile & BrowserFile | undefined;
  // Only a file of a browser can be cut.
  const handle = typeof chosen?.slice === 'function'
    ? chosen as BrowserFile : chosen?.path || chosen?.tempFilePath || first(outer.tempFilePaths);
  if (!chosen || !handle || typeof handle !== 'string' && !isObject(handle)) return undefined;
  const path = typeof handle === 'string' ? handle : '';
  const name = String(chosen.name || path.slice(path.lastIndexOf('/') + 1));
  const duration = number(chosen.duration ?? outer.duration);
  const [width, height] = [number(chosen.width ?? outer.width), number(chosen.height ?? outer.height)];
  const thumb = chosen.thumbTempFilePath ?? outer.thumbTempFilePath;
  return {
    handle: handle as Handle,
    name,
    type: typeOf(type, name, path ? '' : String(chosen.type)),
    size: number(chosen.size ?? chosen.fileSize ?? outer.size),
    seconds: type === 'TIMSoundElem' ? Math.floor(duration / 1000) : Math.round(duration),
    width,
    height,
    previews: type === 'TIMVideoFileElem' && typeof thumb === 'string' && thumb ? [{ handle: thumb, size: 0, width, height, limit: LARGE }] : [],
    isPrepared: false,
  };
}

/** What a list, or what is like one, begins with; and anything else itself. */
function first(value: unknown): unknown {
  const list = value as { length?: unknown; 0?: unknown };
  return isObject(value) && typeof list.length === 'number' ? list[0] : value;
}

function number(value: unknown): number {
  return Number(value) > 0 && Number(value) < Infinity ? Number(value) : 0;
}

/** The extension of a name, or what a browser says where that one is none or not taken: photos are called `.jfif` too. */
function typeOf(type: MediaType, name: string, mime: string): string {
  const extension = /\.(\w{1,10})$/.exec(name)?.[1]?.toLowerCase() ?? '';
  if (type === 'TIMFileElem') return extension;
  const [, kind, format = ''] = /^(\w+)\/(?:x-)?([\w-]+)/.exec(mime) ?? [];
  const said = type === 'TIMSoundElem' && SOUNDS[format] || format;
  const isBetter = !isTaken(type, extension) && kind === MEDIA[type][0] && isTaken(type, said);
  return extension && !isBetter ? extension : said;
}

function isTaken(type: MediaType, format: string): boolean {
  return TAKEN[type]?.test(format) ?? true;
}

/** Throws the code of a file that is not there. */
export function checkThere(type: MediaType, source: Source | undefined): asserts source is Source {
  if (!source) throw new ChatError(MEDIA[type][1], 'there is no file: pass what the chooser has returned');
}

/** Takes over what the device sees of a file and nobody has said. */
export function learn(type: MediaType, source: Source, look: { width: number; height: number; type: string; seconds: number; previews: Preview[] }): void {
  // WeChat has photos whose names end with `.unknown`.
  if (!isTaken(type, source.type) && isTaken(type, look.type)) source.type = look.type;
  source.seconds ||= Math.round(number(look.seconds));
  source.width ||= look.width;
  source.height ||= look.height;
  source.previews = look.previews;
}

/** Width and height of a picture whose shorter side gets so many pixels, or undefined when it has no more. */
export function scaled(width: number, height: number, limit: number): { width: number; height: number } | undefined {
  const shorter = Math.min(width, height);
  if (shorter <= limit) return undefined;
  return { width: Math.ceil(width * limit / shorter), height: Math.ceil(height * limit / shorter) };
}

/** What a payload says of a file that lies on the device. `urlOf` is where one is shown from. */
export function localPayload(type: MediaType, source: Source, urlOf: (handle: Handle) => string): object {
  return remotePayload(type, source, ({ handle }) => ({ key: '', mediaUrl: urlOf(handle) }));
}

/**
 * What a payload says of a file that lies where `placeOf` says, and so its previews, those that lie somewhere. Without a
 * key it is on the device.
 */
export function remotePayload(type: MediaType, source: Source, placeOf: (part: Source | Preview) => Place | undefined): object {
  const { size, width, height, seconds, previews } = source;
  const { key, mediaUrl: url } = placeOf(source)!;
  switch (type) {
    case 'TIMImageElem':
      return {
        uuid: key,
        imageFormat: FORMATS.indexOf(source.type.replace('jpeg', 'jpg')) + 1 || 255,
        imageInfoArray: PICTURES.map((name, index) => {
          const preview = previews.find(({ limit }) => limit === [0, THUMBNAIL, LARGE][index]);
          const place = preview && placeOf(preview);
          const part = place && preview || source;
          const partUrl = place?.mediaUrl ?? url;
          return { ...name, size: part.size, width: part.width, height: part.height, url: partUrl, imageUrl: partUrl };
        }),
      };
    case 'TIMSoundElem':
      return { uuid: key, url, remoteAudioUrl: key && url, size, second: seconds, downloadFlag: 2 };
    case 'TIMVideoFileElem': {
      const preview = previews[0];
      const place = preview && placeOf(preview);
      const [thumbUrl, thumbWidth, thumbHeight] = [place?.mediaUrl ?? '', preview?.width || width || VIDEO_SIDE, preview?.height || height || VIDEO_SIDE];
      return {
        videoUUID: key, videoUrl: url, remoteVideoUrl: key && url, videoFormat: source.type, videoSecond: seconds, videoSize: size,
        thumbUUID: place?.key ?? '', thumbUrl, thumbSize: place && preview?.size || 0, thumbWidth, thumbHeight,
        snapshotUrl: thumbUrl, snapshotWidth: thumbWidth, snapshotHeight: thumbHeight,
      };
    }
    case 'TIMFileElem':
      return { uuid: key, fileName: source.name, fileUrl: url, fileSize: size, downloadFlag: 2 };
  }
}

/** Throws the code of a message whose file is not on this device, or not any more, and nowhere else. */
export function checkLink({ type, payload }: Message): void {
  // WeChat calls some of the files of a device http://tmp/….
  if (!isMedia(type) || /"(https?|cloud):\/\/(?!(tmp|usr|store)\/)/.test(JSON.stringify(payload))) return;
  throw new ChatError(type === 'TIMFileElem' ? FILE_URL_EMPTY : MEDIA[type][1], 'there is no file any more: choose it again');
}

/**
 * What a message says that names the files of another one. It has none of their keys: a recall takes away what the keys
 * of its message name, and these files are the other one's.
 */
export function forwardedPayload(type: MessageType, payload: object): object {
  const copy: Record<string, unknown> = { ...payload };
  if (isMedia(type)) for (const name of ['uuid', 'videoUUID', 'thumbUUID']) if (name in copy) copy[name] = '';
  return copy;
}

/** The names under which a payload says the same thing twice. Each stands for the other where only one is there. */
const TWINS: { readonly [Type in MediaType]?: readonly (readonly [string, string])[] } = {
  TIMSoundElem: [['url', 'remoteAudioUrl']],
  TIMVideoFileElem: [['videoUrl', 'remoteVideoUrl'], ['thumbUrl', 'snapshotUrl'], ['thumbWidth', 'snapshotWidth'], ['thumbHeight', 'snapshotHeight']],
};

/**
 * A payload that came in, with everything that programs read of it. Another client or a server may have left out what
 * it says under another name, and have uploaded a picture in one size only.
 */
export function completePayload(type: MessageType, said: object): object {
  if (!isMedia(type)) return said;
  const payload = complete(said as Fields, emptyPayload(type) as Fields, TWINS[type] ?? []);
  if (type === 'TIMImageElem') {
    const given = payload['imageInfoArray'];
    const pictures = Array.isArray(given) ? given as Fields[] : [];
    payload['imageInfoArray'] = (emptyPayload(type) as Payloads['TIMImageElem']).imageInfoArray
      .map((blank, index) => complete(pictures[index] ?? { ...pictures[0], ...PICTURES[index] }, { ...blank }, [['url', 'imageUrl']]));
  }
  return payload;
}

type Fields = Record<string, unknown>;

function complete(given: Fields, empty: Fields, twins: readonly (readonly [string, string])[]): Fields {
  const fields = { ...empty, ...given };
  for (const [one, other] of twins) {
    fields[one] ||= fields[other];
    fields[other] ||= fields[one];
  }
  return fields;
}
