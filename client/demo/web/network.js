// A network that can be switched off, for what is sent and received: the messages and the uploads. It has
// to be loaded before tim.js, which then finds this WebSocket in the place of the browser's own, and
// uploads that can be cut. Nothing in the client knows about it.
(function () {
  'use strict';

  var Native = window.WebSocket;
  var open = new Set();
  var online = true;

  // What a browser hands out when there is no network: a socket that fails at once.
  class DeadSocket extends EventTarget {
    constructor(url) {
      super();
      this.url = String(url);
      this.readyState = Native.CONNECTING;
      this.protocol = '';
      this.extensions = '';
      this.binaryType = 'blob';
      this.bufferedAmount = 0;
      this.onopen = this.onmessage = this.onerror = this.onclose = null;
      setTimeout(() => {
        this.readyState = Native.CLOSED;
        this.tell(new Event('error'));
        this.tell(new CloseEvent('close', { code: 1006, wasClean: false }));
      }, 0);
    }

    tell(event) {
      var handler = this['on' + event.type];
      if (typeof handler === 'function') handler.call(this, event);
      this.dispatchEvent(event);
    }

    send() {
      throw new DOMException('The socket is not open.', 'InvalidStateError');
    }

    close() {}
  }

  function SwitchableWebSocket(url, protocols) {
    if (!online) return new DeadSocket(url);
    var socket = protocols === undefined ? new Native(url) : new Native(url, protocols);
    open.add(socket);
    // These are the first listeners of the socket, so that what comes in after the loss, the
    // server's own goodbye included, can be kept from the client: it is on the other side.
    ['open', 'message', 'error', 'close'].forEach(function (type) {
      socket.addEventListener(type, function (event) {
        if (socket.lost && event.isTrusted) event.stopImmediatePropagation();
        if (type === 'close') open.delete(socket);
      });
    });
    return socket;
  }
  SwitchableWebSocket.prototype = Native.prototype;
  ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'].forEach(function (name) {
    SwitchableWebSocket[name] = Native[name];
  });
  window.WebSocket = SwitchableWebSocket;

  var uploads = new Set();
  var send = XMLHttpRequest.prototype.send;

  // To abort is one's own decision, and a network that is lost is an error.
  function cut(request) {
    request.abort();
    request.dispatchEvent(new ProgressEvent('error'));
  }

  XMLHttpRequest.prototype.send = function (body) {
    var request = this;
    if (!online) {
      setTimeout(cut, 0, request);
      return;
    }
    uploads.add(request);
    request.addEventListener('loadend', function () {
      uploads.delete(request);
    });
    send.call(request, body);
  };

  Object.defineProperty(navigator, 'onLine', {
    configurable: true,
    get: function () {
      return online;
    },
  });

  window.network = {
    isOnline: function () {
      return online;
    },
    set: function (value) {
      if (online === value) return;
      online = value;
      if (!online) {
        open.forEach(function (socket) {
          socket.lost = true;
          socket.close();
          socket.dispatchEvent(new CloseEvent('close', { code: 1006, wasClean: false }));
        });
        open.clear();
        uploads.forEach(cut);
      }
      window.dispatchEvent(new Event(online ? 'online' : 'offline'));
    },
  };
})();
