/** What each type of message is made of. */

import type { GroupTipPayload, ImageInfo, MessageType, Payloads } from '../types.js';

/** What the three sizes of a picture are called, in their order. */
export const PICTURES: readonly Pick<ImageInfo, 'type' | 'sizeType'>[] = [
  { type: 0, sizeType: 1 }, { type: 1, sizeType: 3 }, { type: 2, sizeType: 2 },
];

const EMPTY: { readonly [Type in MessageType]?: Payloads[Type] } = {
  TIMTextElem: { text: '' },
  TIMCustomElem: { data: '', description: '', extension: '' },
  TIMFaceElem: { index: 0, data: '' },
  TIMLocationElem: { description: '', longitude: 0, latitude: 0 },
  TIMImageElem: { uuid: '', imageFormat: 0, imageInfoArray: PICTURES.map((name) => ({ ...name, size: 0, width: 0, height: 0, url: '', imageUrl: '' })) },
  TIMSoundElem: { uuid: '', url: '', remoteAudioUrl: '', size: 0, second: 0, downloadFlag: 2 },
  TIMVideoFileElem: {
    videoUUID: '', videoUrl: '', remoteVideoUrl: '', videoFormat: '', videoSecond: 0, videoSize: 0,
    thumbUUID: '', thumbUrl: '', thumbSize: 0, thumbWidth: 0, thumbHeight: 0, snapshotUrl: '', snapshotWidth: 0, snapshotHeight: 0,
  },
  TIMFileElem: { uuid: '', fileName: '', fileUrl: '', fileSize: 0, downloadFlag: 2 },
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
  return payload;
}

/** The payload of a tip with all of its fields. */
export function tipOf(payload: Partial<GroupTipPayload> & { reason?: string }): GroupTipPayload {
  const { userIDList = [], memberList = [], memberNum = 0, groupProfile, reason } = payload;
  const groupName = groupProfile?.groupName ?? '';
  return {
    operationType: 0, operatorID: '', newGroupProfile: {}, ...payload,
    userIDList, memberNum, memberCount: memberNum,
    memberList: userIDList.map((userID) => ({
      nick: '', avatar: '', ...(reason !== undefined && { reason }), ...memberList.find((member) => member.userID === userID), userID,
    })),
    groupProfile: { groupID: '', ...groupProfile, groupName, name: groupName },
  };
}

/** Who is named in a message, besides its sender. */
export function namedIn({ type, payload }: { type: string; payload: object }): string[] {
  const { userIDList } = payload as { userIDList?: unknown };
  return type === 'TIMGroupTipElem' && Array.isArray(userIDList) ? userIDList.map(String) : [];
}
