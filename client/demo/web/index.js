// The page that holds two users. Each is a frame of its own, because TIM.create answers with one
// instance per SDKAppID, as tim-wx-sdk does: two users cannot live in one page.
(function () {
  'use strict';

  var desks = document.querySelectorAll('.desk');
  var buttons = document.querySelectorAll('.switch button');

  // On a phone one user is shown. The other frame goes on running, so that its badge can count.
  function show(user) {
    desks.forEach(function (desk) {
      desk.toggleAttribute('data-shown', desk.dataset.user === user);
    });
    buttons.forEach(function (button) {
      button.setAttribute('aria-pressed', String(button.dataset.show === user));
    });
  }

  buttons.forEach(function (button) {
    button.addEventListener('click', function () {
      show(button.dataset.show);
    });
  });

  window.addEventListener('message', function (event) {
    if (event.origin !== location.origin || !event.data || event.data.kind !== 'unread') return;
    buttons.forEach(function (button) {
      if (button.dataset.show !== event.data.userID) return;
      var badge = button.querySelector('.badge');
      var count = Number(event.data.count) || 0;
      badge.hidden = count === 0;
      badge.textContent = count > 99 ? '99+' : String(count);
    });
  });
})();
