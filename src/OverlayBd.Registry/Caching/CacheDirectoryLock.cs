// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace OverlayBd.Registry.Caching;

/// <summary>Keeps a cache directory to one holder: an advisory lock (flock) that ends with the process, however that ends.</summary>
internal sealed class CacheDirectoryLock : IDisposable
{
    // asm-generic/errno-base.h: what flock answers when somebody else has the lock.
    private const int EWOULDBLOCK = 11;
    private const string LockName = "lock";

    // A second file, because the locked one cannot be opened by those who want to know whom they wait for.
    private const string HolderName = "holder";
    private readonly SafeFileHandle _file;

    private CacheDirectoryLock(SafeFileHandle file) => _file = file;

    /// <summary>Takes the lock of <paramref name="directory"/>, which exists.</summary>
    /// <exception cref="IOException">Somebody else holds it; the message names the process.</exception>
    public static CacheDirectoryLock Take(string directory)
    {
        string path = Path.Combine(directory, LockName);
        string holderPath = Path.Combine(directory, HolderName);
        SafeFileHandle file;
        try
        {
            file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (e.HResult == EWOULDBLOCK)
        {
            throw new IOException(
                $"The cache directory '{directory}' is in use by {ReadHolder(holderPath)}. Give each process a directory of its own.", e);
        }

        try
        {
            File.WriteAllText(holderPath, Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        }
        catch
        {
            file.Dispose();
            throw;
        }

        return new CacheDirectoryLock(file);
    }

    public void Dispose() => _file.Dispose();

    private static string ReadHolder(string path)
    {
        try
        {
            return int.TryParse(File.ReadAllText(path), NumberStyles.None, CultureInfo.InvariantCulture, out int pid)
                ? string.Create(CultureInfo.InvariantCulture, $"process {pid}")
                : "another process";
        }
        catch (IOException)
        {
            return "another process";
        }
    }
}
