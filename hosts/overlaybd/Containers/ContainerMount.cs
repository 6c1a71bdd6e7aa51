// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Cli.Containers;

/// <summary>One entry of a container's mount list.</summary>
/// <param name="Destination">The path in the container.</param>
/// <param name="Type">The type of the file system.</param>
/// <param name="Source">The device, or the directory of a bind mount.</param>
/// <param name="Options">The mount options.</param>
internal sealed record ContainerMount(string Destination, string Type, string Source, params string[] Options)
{
    /// <summary>Reads <c>type=bind,source=DIR,target=DIR[,readonly]</c>, and <c>options=a:b</c> as containerd's ctr has it.</summary>
    public static bool TryParse(string text, out ContainerMount? mount, out string? fault)
    {
        string type = "bind";
        string? source = null;
        string? target = null;
        List<string> options = [];
        mount = null;
        foreach (string item in text.Split(','))
        {
            string[] pair = item.Split('=', 2);
            string value = pair.Length == 2 ? pair[1] : "";
            switch (pair[0])
            {
                case "type":
                    type = value;
                    break;
                case "source" or "src":
                    source = value;
                    break;
                case "target" or "dst" or "destination":
                    target = value;
                    break;
                case "readonly" or "ro":
                    options.Add("ro");
                    break;
                case "options":
                    options.AddRange(value.Split(':'));
                    break;
                default:
                    fault = $"--mount: {pair[0]} is not one of type, source, target, readonly, options.";
                    return false;
            }
        }

        fault = target is null || !target.StartsWith('/') ? "--mount needs target= with an absolute path."
            : type == "bind" && source is null ? "--mount: a bind mount needs source=."
            : null;
        if (fault is not null)
        {
            return false;
        }

        if (type == "bind")
        {
            source = Path.GetFullPath(source!);
            if (!options.Contains("bind") && !options.Contains("rbind"))
            {
                options.Add("rbind");
            }
        }

        mount = new(target!, type, source ?? type, [.. options]);
        return true;
    }
}
