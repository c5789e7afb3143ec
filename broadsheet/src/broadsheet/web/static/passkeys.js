// Passkeys: asks the browser for one, puts what it says into the form, and sends the form. Without this script the pages
// say what else can be done. Options come from the page (data-options), or from the address of the form.
"use strict";

(() => {
  const toBytes = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
  const toText = (buffer) => {
    let binary = "";
    for (const byte of new Uint8Array(buffer)) binary += String.fromCharCode(byte);
    return btoa(binary).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  };
  const known = (list) => (list || []).map((each) => ({ ...each, id: toBytes(each.id) }));

  // WebAuthn Level 3, section 5.1.9 and 5.1.10: options as JSON hold bytes as base64url.
  const create = async (options) => {
    const asked = options.publicKey;
    const credential = await navigator.credentials.create({
      publicKey: {
        ...asked,
        challenge: toBytes(asked.challenge),
        user: { ...asked.user, id: toBytes(asked.user.id) },
        excludeCredentials: known(asked.excludeCredentials),
        authenticatorSelection: {
          ...asked.authenticatorSelection,
          residentKey: "required",
          requireResidentKey: true,
          userVerification: "required",
        },
      },
    });
    return said(credential, {
      attestationObject: toText(credential.response.attestationObject),
      transports: credential.response.getTransports ? credential.response.getTransports() : [],
    });
  };

  const get = async (options) => {
    const asked = options.publicKey;
    const credential = await navigator.credentials.get({
      publicKey: { ...asked, challenge: toBytes(asked.challenge), allowCredentials: known(asked.allowCredentials) },
    });
    const { authenticatorData, signature, userHandle } = credential.response;
    return said(credential, {
      authenticatorData: toText(authenticatorData),
      signature: toText(signature),
      userHandle: userHandle ? toText(userHandle) : null,
    });
  };

  const said = (credential, response) => ({
    type: credential.type,
    id: credential.id,
    rawId: toText(credential.rawId),
    authenticatorAttachment: credential.authenticatorAttachment,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: { ...response, clientDataJSON: toText(credential.response.clientDataJSON) },
  });

  const options = async (form) => {
    if (form.dataset.options) return JSON.parse(form.dataset.options);
    const answer = await fetch(form.action, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
    return (await answer.json()).request_options;
  };

  const ask = async (form) => {
    const note = form.querySelector("[data-passkey-note]");
    note.hidden = true;
    try {
      const wanted = await options(form);
      const credential = await (form.dataset.passkey === "create" ? create(wanted) : get(wanted));
      form.elements.credential.value = JSON.stringify(credential);
      form.submit();
    } catch (error) {
      console.warn("no passkey:", error);
      note.hidden = false;
    }
  };

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    if (!window.PublicKeyCredential) continue;
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      ask(form);
    });
  }
})();
