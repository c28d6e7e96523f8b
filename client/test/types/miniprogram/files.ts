// What WeChat hands over is taken as it is.

import TIM, { type Message } from '../../../src/index.js';

const tim = TIM.create({ SDKAppID: 1400000000, proxyServer: 'wss://im.example.com/v1' });
const to = { to: 'bob', conversationType: TIM.TYPES.CONV_C2C };

wx.chooseImage({ success: (file) => tim.createImageMessage({ ...to, payload: { file } }) });
wx.chooseMedia({
  success(file) {
    const onProgress = (percent: number): void => void percent.toFixed();
    tim.createImageMessage({ ...to, payload: { file }, onProgress });
    tim.createVideoMessage({ ...to, payload: { file }, onProgress });
    for (const each of file.tempFiles) tim.createVideoMessage({ ...to, payload: { file: each } });
  },
});
wx.chooseVideo({ success: (file) => tim.createVideoMessage({ ...to, payload: { file } }) });
wx.chooseMessageFile({ count: 1, success: (file) => tim.createFileMessage({ ...to, payload: { file } }) });
wx.getRecorderManager().onStop((file) => {
  const message: Message = tim.createAudioMessage({ ...to, payload: { file } });
  if (message.type === TIM.TYPES.MSG_AUDIO) wx.createInnerAudioContext().src = message.payload.url;
});

// @ts-expect-error a path alone is no file
tim.createImageMessage({ ...to, payload: { file: 'wxfile://1.png' } });
// @ts-expect-error what has nothing of a file is none
tim.createImageMessage({ ...to, payload: { file: { filePath: 'wxfile://1.png' } } });
// @ts-expect-error there is no file
tim.createImageMessage({ ...to, payload: {} });
