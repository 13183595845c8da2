// Another process that takes the write lock of a SQLite file and keeps it until it is told to let go.
const sqlite3 = require('sqlite3');

const database = new sqlite3.Database(process.argv[2], (failure) => {
  if (failure) throw failure;
  database.exec('BEGIN IMMEDIATE', (error) => {
    if (error) throw error;
    process.send('locked');
  });
});

process.on('message', () => {
  database.exec('ROLLBACK', (error) => {
    if (error) throw error;
    database.close(() => process.disconnect());
  });
});
