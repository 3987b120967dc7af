// The promises of an environment, each of which has a number. The addon runs this script once, and then calls the functions of
// its result. One call settles all promises of a turn, and JavaScript creates an object faster than the addon sets its properties.
(() => {
  /** The functions that resolve the promises, by number. */
  const resolvers = [];
  /** The functions that make a value from its content. `FORMS` in `mailbox.rs` is their number. */
  const forms = [
    (content) => content,
    JSON.parse,
    (error) => {
      throw error;
    },
  ];
  return {
    create: (number) =>
      new Promise((resolve) => {
        resolvers[number] = resolve;
      }),
    addForm: (form) => {
      forms.push(form);
    },
    /**
     * Settles promises. The parts of each are its number, the length of its list or -1 for a single value, and the form and the
     * content of each value.
     */
    settle: (...parts) => {
      for (let at = 0; at < parts.length; ) {
        const resolve = resolvers[parts[at]];
        resolvers[parts[at]] = undefined;
        const length = parts[at + 1];
        at += 2;
        const end = at + 2 * Math.abs(length);
        try {
          if (length === -1) {
            resolve(forms[parts[at]](parts[at + 1]));
          } else {
            const list = [];
            for (let item = at; item < end; item += 2) list.push(forms[parts[item]](parts[item + 1]));
            resolve(list);
          }
        } catch (error) {
          resolve(Promise.reject(error));
        }
        at = end;
      }
    },
  };
})();
