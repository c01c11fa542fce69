// Where GraphiQL keeps tabs and history between visits: this browser. It keeps what was typed,
// never an answer; and a text that names a secret is not kept at all, because the next person at
// this computer can read it.
const SECRET = /(password|idnumber)\\*"?\s*:/i // as an argument, a variable, or a key in JSON
const PREFIX = 'graphiql:'

const keys = () => Object.keys(localStorage).filter((key) => key.startsWith(PREFIX))

export const storage = {
  get length() {
    return keys().length
  },
  getItem: (key) => localStorage.getItem(key),
  setItem: (key, value) => {
    if (!SECRET.test(value)) localStorage.setItem(key, value)
  },
  removeItem: (key) => localStorage.removeItem(key),
  clear: () => keys().forEach((key) => localStorage.removeItem(key)),
}
