// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace OverlayBd.Backstore.Observability.Logging;

/// <summary>A file that is only appended to, and renamed to <c>x.1</c>, <c>x.2</c> and so on when it has grown. Used by one thread at a time.</summary>
/// <remarks>It may be renamed, deleted or cut by others at any time: what is written next goes to the end of the file that then has the name.</remarks>
internal sealed class RotatingFile : IDisposable
{
    private readonly string _path;
    private readonly RotationRule _rule;
    private SafeFileHandle _file;
    private string? _place;
    private bool _torn;

    /// <summary>Opens the file, or makes it.</summary>
    /// <exception cref="IOException">That cannot be done.</exception>
    public RotatingFile(string path, RotationRule rule)
    {
        _path = Path.GetFullPath(path);
        _rule = rule;
        _file = Interop.OpenForAppend(_path);
        _place = PlaceOf(_file);
    }

    /// <summary>Appends whole lines, and rotates before when they would not fit.</summary>
    /// <exception cref="IOException">The lines are lost.</exception>
    public void Append(ReadOnlySpan<byte> lines)
    {
        if (PlaceOf(_file) != _place)
        {
            Reopen();
        }

        long length = Length();
        if (length > 0 && length + lines.Length > _rule.LimitBytes && TryRotate())
        {
            Reopen();
            length = 0;
        }

        try
        {
            if (_torn)
            {
                RandomAccess.Write(_file, "\n"u8, length);
                _torn = false;
            }

            // The kernel appends wherever we say, because of how the file was opened.
            RandomAccess.Write(_file, lines, length);
        }
        catch (IOException)
        {
            _torn |= Length() != length;
            throw;
        }
    }

    /// <summary>Opens what has the name now; when that fails, what is open stays in use.</summary>
    public void Reopen()
    {
        SafeFileHandle file;
        try
        {
            file = Interop.OpenForAppend(_path);
        }
        catch (IOException)
        {
            return;
        }

        _file.Dispose();
        _file = file;
        _place = PlaceOf(file);
    }

    public void Dispose() => _file.Dispose();

    // Where the open file is: another name than at first once somebody has renamed or deleted it.
    private static string? PlaceOf(SafeFileHandle file) =>
        new FileInfo("/proc/self/fd/" + ((int)file.DangerousGetHandle()).ToString(CultureInfo.InvariantCulture)).LinkTarget;

    private long Length()
    {
        try
        {
            return RandomAccess.GetLength(_file);
        }
        catch (NotSupportedException)
        {
            // A pipe or a terminal has no length, and is never rotated.
            return 0;
        }
    }

    private bool TryRotate()
    {
        try
        {
            if (_rule.OldFiles == 0)
            {
                File.Delete(_path);
                return true;
            }

            for (int number = _rule.OldFiles - 1; number > 0; number--)
            {
                if (File.Exists(Old(number)))
                {
                    File.Move(Old(number), Old(number + 1), overwrite: true);
                }
            }

            File.Move(_path, Old(1), overwrite: true);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Too long a log is better than none.
            return false;
        }
    }

    private string Old(int number) => _path + "." + number.ToString(CultureInfo.InvariantCulture);
}
