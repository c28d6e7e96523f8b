// Listens to the client on behalf of a page, and returns how to stop: a page that was left and goes
// on listening would write into a screen that is not there.
module.exports = function listen(tim, handlers) {
  const names = Object.keys(handlers);
  names.forEach(function (name) {
    tim.on(name, handlers[name]);
  });
  return function stop() {
    names.forEach(function (name) {
      tim.off(name, handlers[name]);
    });
  };
};
