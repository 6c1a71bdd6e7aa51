// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;
using OverlayBd.ControlApi;

namespace OverlayBd.Backstore.Devices;

/// <summary>The files that say what TCMU devices of the control API were attached from. They name files with secrets, and hold none.</summary>
internal sealed class Attachments(BackstoreOptions options)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private readonly RunDirectory _run = options.RunDirectory;

    /// <summary>The ids that there are files of.</summary>
    public IReadOnlyList<string> Ids =>
        [.. Directory.EnumerateFiles(_run.Attachments, "*.json").Select(path => Path.GetFileNameWithoutExtension(path))];

    public string PathOf(string id) => _run.AttachmentOf(id);

    /// <summary>Whether a device's configuration is a file of these, and not a device config.</summary>
    public bool Contains(string path) => Path.GetDirectoryName(path) == _run.Attachments;

    /// <summary>Writes the file of a device as a whole.</summary>
    public void Write(string id, Attachment attachment)
    {
        string path = PathOf(id);
        string temporary = path + ".new";
        FileStreamOptions create = new() { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = OwnerOnly };
        using (FileStream stream = new(temporary, create))
        {
            JsonSerializer.Serialize(stream, attachment, ControlApiJson.Default.Attachment);
            stream.Flush(flushToDisk: true);
        }

        File.Move(temporary, path, overwrite: true);
    }

    /// <exception cref="InvalidDataException">It is not what this server wrote.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static Attachment Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), ControlApiJson.Default.Attachment)
                ?? throw new InvalidDataException($"{path}: expected a JSON object, found null.");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path} does not say what was attached: {e.Message}", e);
        }
    }
}
