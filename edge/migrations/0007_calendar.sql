-- Due dates that rolled onto a banking day (L9).

-- When a debit would be due if due dates did not roll; empty where that is its due date.
ALTER TABLE debits ADD COLUMN unrolled_due_date TEXT;
