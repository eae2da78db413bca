// Inside the stand-in's frame: ask for a name, fetch a token, hand it to the page.
"use strict";
const query = new URLSearchParams(location.search);
const NAME = "name";

/** @param {string} name @param {string} selectBy */
async function signIn(name, selectBy) {
  const answer = await fetch("/token", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name, aud: query.get("client_id"), nonce: query.get("nonce") }),
  });
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error);
  remember(name);
  // the server gives this frame to the chat's own page only
  parent.postMessage({ credential: body.id_token, select_by: selectBy }, query.get("parent"));
}

// A browser that blocks cookies throws at storage: then a name is for one time.
/** @param {string} name */
function remember(name) {
  try {
    localStorage.setItem(NAME, name);
  } catch {
    // nothing is remembered
  }
}

function rememberedName() {
  try {
    return localStorage.getItem(NAME);
  } catch {
    return null;
  }
}

const form = document.querySelector("form");
const input = document.querySelector("input");
const remembered = rememberedName();

if (query.get("mode") !== "auto") {
  input.value = remembered ?? "";
} else if (remembered) {
  // as with Google, a silent sign-in that does not work out says nothing
  signIn(remembered, "auto").catch(dismiss);
} else {
  dismiss();
}

function dismiss() {
  parent.postMessage({ dismissed: true }, query.get("parent"));
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  signIn(input.value, "btn").catch((error) => {
    document.querySelector("[role=status]").textContent = error.message;
  });
});

// Not before: what is typed would be overwritten, the form sent as a plain one.
input.disabled = false;
document.querySelector("button").disabled = false;
