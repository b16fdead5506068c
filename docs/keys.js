// Additions to mdBook's script. Its button for the table of contents is a label, which
// takes no keys.
{
  const toggle = document.getElementById("mdbook-sidebar-toggle");
  toggle.tabIndex = 0;
  toggle.setAttribute("role", "button");
  toggle.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    toggle.click();
  });
}
