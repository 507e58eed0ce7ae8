// Compile the modules of a folder with Pyodide's own Python, and delete their sources:
//     node compile.mjs PYODIDE.mjs FOLDER
const [, , pyodide, folder] = process.argv;
const { loadPyodide } = await import(pyodide);
const python = await loadPyodide();
python.FS.mkdir("/packages");
python.FS.mount(python.FS.filesystems.NODEFS, { root: folder }, "/packages");
await python.runPythonAsync(`
import pathlib, py_compile
for path in pathlib.Path("/packages").rglob("*.py"):
    try:
        py_compile.compile(path, path.with_suffix(".pyc"), dfile=str(path)[9:], doraise=True,
                           invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    except py_compile.PyCompileError:
        continue  # a template, or for another version
    path.unlink()
`);
process.exit(0);
