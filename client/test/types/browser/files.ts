// What a browser hands over is taken as it is.

import TIM from '../../../src/index.js';

const tim = TIM.create({ SDKAppID: 1400000000, proxyServer: 'wss://im.example.com/v1' });
const to = { to: 'bob', conversationType: TIM.TYPES.CONV_C2C };

const input = document.querySelector('input') as HTMLInputElement;
tim.createFileMessage({ ...to, payload: { file: input } });
document.addEventListener('paste', (event) => {
  const file = event.clipboardData?.files[0];
  if (!file) return;
  const message = tim.createImageMessage({ ...to, payload: { file } });
  if (message.type === TIM.TYPES.MSG_IMAGE) document.createElement('img').src = message.payload.imageInfoArray[0]?.url ?? '';
});
new MediaRecorder(new MediaStream()).ondataavailable = ({ data }) => {
  tim.createAudioMessage({ ...to, payload: { file: data } });
};

// @ts-expect-error an event is no file
tim.createFileMessage({ ...to, payload: { file: new Event('change') } });
