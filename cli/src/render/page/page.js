"use strict";
(() => {
  const words = new Intl.Collator("en", { numeric: true });
  // Whole numbers as text, however long: more digits are more.
  const numbers = (a, b) => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);

  const sortable = (table) => {
    const body = table.tBodies[0];
    const heads = [...table.tHead.rows[0].cells];
    const sort = (at, down) => {
      const isNumber = heads[at].classList.contains("n");
      const key = (row) => {
        const cell = row.cells[at];
        return isNumber ? cell.dataset.v ?? "" : cell.textContent;
      };
      const compare = isNumber ? numbers : words.compare;
      const keyed = [...body.rows].map((row) => [key(row), row]);
      keyed.sort((a, b) => (down ? compare(b[0], a[0]) : compare(a[0], b[0])));
      body.append(...keyed.map((pair) => pair[1]));
      heads.forEach((head, other) => {
        if (other === at) head.setAttribute("aria-sort", down ? "descending" : "ascending");
        else head.removeAttribute("aria-sort");
      });
    };
    heads.forEach((head, at) => {
      const button = head.querySelector("button");
      if (!button) return;
      button.addEventListener("click", () => {
        const now = head.getAttribute("aria-sort");
        // The largest numbers and the first words are wanted first.
        sort(at, now ? now === "ascending" : head.classList.contains("n"));
      });
    });
  };
  document.querySelectorAll("table.sorts").forEach(sortable);

  const tools = document.getElementById("tools");
  if (!tools) return;
  const table = document.getElementById("every-move");
  const name = document.getElementById("filter-name");
  const broker = document.getElementById("filter-broker");
  const told = document.getElementById("told");
  const filter = () => {
    const part = name.value.trim().toLowerCase();
    const id = broker.value.trim();
    const rows = [...table.tBodies[0].rows];
    let shown = 0;
    for (const row of rows) {
      const named = row.cells[0].textContent.toLowerCase().includes(part);
      const touched = id === "" || ` ${row.dataset.brokers} `.includes(` ${id} `);
      row.hidden = !(named && touched);
      if (!row.hidden) shown += 1;
    }
    told.textContent = `${shown.toLocaleString("en")} of ${rows.length.toLocaleString("en")} rows`;
  };
  name.addEventListener("input", filter);
  broker.addEventListener("input", filter);
  tools.hidden = false;
  filter();
})();
