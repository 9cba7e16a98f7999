package cli

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// Version is the release. Builds between releases say which commit they are.
const Version = "0.1.0-dev"

func (a *app) versionCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  exactArgs(0),
		RunE: func(*cobra.Command, []string) error {
			v := map[string]string{"version": Version, "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH}
			if info, ok := debug.ReadBuildInfo(); ok {
				for _, s := range info.Settings {
					if s.Key == "vcs.revision" {
						v["commit"] = s.Value
					}
				}
			}
			if a.json {
				return json.NewEncoder(a.Stdout).Encode(v)
			}
			fmt.Fprintf(a.Stdout, "wirelark %s (%s, %s)\n", v["version"], v["go"], v["platform"])
			return nil
		},
	}
	cmd.Flags().BoolVar(&a.json, "json", false, "print a JSON object")
	return cmd
}

func (a *app) completionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "Print a completion script for a shell",
		Long: `Print a script that completes wirelark's commands and flags in a shell.

  bash:        source <(wirelark completion bash)
  zsh:         wirelark completion zsh > "${fpath[1]}/_wirelark"
  fish:        wirelark completion fish > ~/.config/fish/completions/wirelark.fish
  PowerShell:  wirelark completion powershell | Out-String | Invoke-Expression`,
		Args:      exactArgs(1),
		ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(a.Stdout, true)
			case "zsh":
				return root.GenZshCompletion(a.Stdout)
			case "fish":
				return root.GenFishCompletion(a.Stdout, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(a.Stdout)
			}
			return usagef(cmd, "there is no completion for %q: choose bash, zsh, fish or powershell", args[0])
		},
	}
}
