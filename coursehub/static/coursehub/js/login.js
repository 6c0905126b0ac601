// Demo only: choosing an account fills in the form.

for (const account of document.querySelectorAll("[data-username]")) {
  account.addEventListener("click", () => {
    document.getElementById("id_username").value = account.dataset.username;
    document.getElementById("id_password").value = "coursehub-demo";
    document.querySelector("#login-form button[type=submit]").focus();
  });
}
