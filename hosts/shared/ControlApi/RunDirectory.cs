// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;

namespace OverlayBd.ControlApi;

/// <summary>Where running servers leave their sockets and one record per device.</summary>
internal sealed class RunDirectory(string path)
{
    public const string DefaultPath = "/run/overlaybd";

    public string Path { get; } = System.IO.Path.GetFullPath(path);

    /// <summary>The socket of the daemon of this machine.</summary>
    public string DaemonSocket => System.IO.Path.Combine(Path, "backstore.sock");

    private string Records => System.IO.Path.Combine(Path, "devices");

    /// <summary>The socket of a private server.</summary>
    public string PrivateSocket(string id) => System.IO.Path.Combine(Path, "private", id + ".sock");

    /// <summary>The log of a private server.</summary>
    public string PrivateLog(string id) => System.IO.Path.Combine(Path, "private", id + ".log");

    /// <summary>The file that becomes the FUSE mount of a device.</summary>
    public string BackingFile(string id) => System.IO.Path.Combine(Path, "fuse", id);

    /// <summary>The folder of what TCMU devices were attached from.</summary>
    public string Attachments => System.IO.Path.Combine(Path, "attachments");

    /// <summary>The file with the <see cref="Attachment"/> of a device.</summary>
    public string AttachmentOf(string id) => System.IO.Path.Combine(Attachments, id + ".json");

    /// <summary>The folder of a container or of a bundle without a place of its own.</summary>
    public string Bundle(string id) => System.IO.Path.Combine(Path, "bundles", id);

    /// <summary>Creates the directory and its folders, for their owner alone.</summary>
    public void Create()
    {
        const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        foreach (string folder in (string[])["devices", "private", "fuse", "attachments", "bundles"])
        {
            Directory.CreateDirectory(System.IO.Path.Combine(Path, folder), OwnerOnly);
        }
    }

    public void Write(DeviceRecord record)
    {
        string file = RecordOf(record.Device.Id);
        string temporary = file + ".new";
        using (FileStream stream = File.Create(temporary))
        {
            JsonSerializer.Serialize(stream, record, ControlApiJson.Default.DeviceRecord);
        }

        File.Move(temporary, file, overwrite: true);
    }

    public void Remove(string id) => File.Delete(RecordOf(id));

    /// <summary>Reads every record; one that is being written or removed meanwhile is passed over.</summary>
    public IReadOnlyList<DeviceRecord> ReadAll()
    {
        if (!Directory.Exists(Records))
        {
            return [];
        }

        List<DeviceRecord> found = [];
        foreach (string file in Directory.EnumerateFiles(Records, "*.json").Order(StringComparer.Ordinal))
        {
            try
            {
                if (JsonSerializer.Deserialize(File.ReadAllBytes(file), ControlApiJson.Default.DeviceRecord) is { } record)
                {
                    found.Add(record);
                }
            }
            catch (Exception e) when (e is FileNotFoundException or JsonException)
            {
                continue;
            }
        }

        return found;
    }

    private string RecordOf(string id) => System.IO.Path.Combine(Records, id + ".json");
}
